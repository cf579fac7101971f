-- Who reads the shop's orders: the role of ORDERS_DATABASE_URL, in the shop's own database. It sees `orders` (and `order_items`, where
-- there is one) and nothing else, and every transaction of its is read-only.
--
--     psql -v ON_ERROR_STOP=1 -d shop -f deploy/postgresql/orders_reader.sql
--     \password assistant_orders

DO $$
DECLARE
  name text;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'assistant_orders') THEN
    CREATE ROLE assistant_orders LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
  END IF;
  ALTER ROLE assistant_orders SET default_transaction_read_only = on;
  ALTER ROLE assistant_orders SET statement_timeout = '10s';
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO assistant_orders', current_database());
  GRANT USAGE ON SCHEMA public TO assistant_orders;
  FOREACH name IN ARRAY ARRAY['orders', 'order_items'] LOOP
    IF to_regclass('public.' || name) IS NOT NULL THEN
      EXECUTE format('GRANT SELECT ON %I TO assistant_orders', name);
    END IF;
  END LOOP;
END
$$;
