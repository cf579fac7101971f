-- Least privilege on MariaDB and MySQL. Run it as an administrator, with your names for the databases `assistant` (CONVERSATION_DATABASE_URL) and
-- `shop` (the orders'); it changes nothing twice:
--
--     mariadb -u root -p < deploy/mariadb/accounts.sql
--     ALTER USER assistant_app IDENTIFIED BY '…' ACCOUNT UNLOCK;      each; until then nobody can log in as it
--
--   assistant_owner    migrates the tables before each new release:  CONVERSATION_DATABASE_URL=mariadb://assistant_owner:…@host/assistant
--                      python -m conversation_log migrate; python -m handoff migrate
--   assistant_app      what the assistant runs as: reads and writes rows, can neither make, change nor drop a table
--   assistant_reader   for reports and exports
--   assistant_orders   ORDERS_DATABASE_URL: reads `orders`, and `order_items` where there is one (then take the -- off its line)

CREATE DATABASE IF NOT EXISTS assistant;
CREATE USER IF NOT EXISTS assistant_owner, assistant_app, assistant_reader, assistant_orders ACCOUNT LOCK;

GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, DROP, REFERENCES ON assistant.* TO assistant_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON assistant.* TO assistant_app;
GRANT SELECT ON assistant.* TO assistant_reader;
GRANT SELECT ON shop.orders TO assistant_orders;
-- GRANT SELECT ON shop.order_items TO assistant_orders;
