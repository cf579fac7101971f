-- Least privilege on PostgreSQL, for the database of CONVERSATION_DATABASE_URL. Run it as an administrator, again after every
-- change of hands; it changes nothing twice and deletes nothing:
--
--     psql -v ON_ERROR_STOP=1 -d support -f deploy/postgresql/roles.sql
--     \password assistant_app          (and assistant_owner, assistant_reader; or let them log in without, by pg_hba.conf)
--
--   assistant_owner    owns the tables and migrates them:  CONVERSATION_DATABASE_URL=postgresql://assistant_owner@…
--                      python -m conversation_log migrate; python -m handoff migrate, before each new release
--   assistant_app      what the assistant runs as: reads and writes rows, can neither make, change nor drop a table
--   assistant_reader   for reports and exports: reads rows, writes none
--
-- Tables that another role made before (an installation with one role for all) are handed over first:
--     REASSIGN OWNED BY assistant TO assistant_owner;
-- The orders are another matter: deploy/postgresql/orders_reader.sql, in the shop's own database.

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['assistant_owner', 'assistant_app', 'assistant_reader'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
      EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION', name);
    END IF;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), name);
  END LOOP;
  -- Nobody else, and no temporary tables.
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO assistant_owner;
GRANT USAGE ON SCHEMA public TO assistant_app, assistant_reader;

-- What there is, and what later migrations of assistant_owner's make.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO assistant_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO assistant_app;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO assistant_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE assistant_owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO assistant_app;
ALTER DEFAULT PRIVILEGES FOR ROLE assistant_owner IN SCHEMA public GRANT USAGE ON SEQUENCES TO assistant_app;
ALTER DEFAULT PRIVILEGES FOR ROLE assistant_owner IN SCHEMA public GRANT SELECT ON TABLES TO assistant_reader;
