-- The role that Grafana's PostgreSQL datasource uses: it reads the views, and nothing else.
-- As the owner of Canary's database, after `canary db upgrade`:
--     psql -d canary -f read-only.sql
--     psql -d canary -c '\password canary_grafana'

CREATE ROLE canary_grafana LOGIN CONNECTION LIMIT 10;
ALTER ROLE canary_grafana SET default_transaction_read_only = on;
ALTER ROLE canary_grafana SET statement_timeout = '15s';

GRANT USAGE ON SCHEMA public TO canary_grafana;
GRANT SELECT ON
  grafana_v1_observations, grafana_v1_scores, grafana_v1_alarms, grafana_v1_incidents, grafana_v1_changes
  TO canary_grafana;
