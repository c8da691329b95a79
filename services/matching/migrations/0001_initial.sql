CREATE TABLE match (
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  demand TEXT NOT NULL,
  supply TEXT NOT NULL,
  demand_version BIGINT NOT NULL,
  supply_version BIGINT NOT NULL,
  demand_issuer TEXT NOT NULL,
  supply_issuer TEXT NOT NULL,
  bodies TEXT[] NOT NULL,
  state TEXT NOT NULL,
  score INTEGER NOT NULL,
  parts JSONB NOT NULL,
  gaps TEXT[] NOT NULL,
  algorithm_version TEXT NOT NULL,
  demand_accepted BOOLEAN NOT NULL,
  supply_accepted BOOLEAN NOT NULL,
  reason TEXT NOT NULL,
  create_time TIMESTAMP WITH TIME ZONE NOT NULL,
  update_time TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (name)
);

CREATE INDEX match_bodies ON match USING gin (bodies);

CREATE INDEX match_demand ON match (demand);

CREATE INDEX match_demand_issuer ON match (demand_issuer);

CREATE INDEX match_supply ON match (supply);

CREATE INDEX match_supply_issuer ON match (supply_issuer);

CREATE TABLE sweep (
  one BOOLEAN NOT NULL,
  swept_on DATE NOT NULL,
  PRIMARY KEY (one)
);
