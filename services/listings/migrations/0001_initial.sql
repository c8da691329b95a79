CREATE TABLE booking (
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  equipment TEXT NOT NULL,
  issuer TEXT NOT NULL,
  organization TEXT NOT NULL,
  unit INTEGER NOT NULL,
  begin_time TIMESTAMP WITH TIME ZONE NOT NULL,
  end_time TIMESTAMP WITH TIME ZONE NOT NULL,
  purpose TEXT NOT NULL,
  state INTEGER NOT NULL,
  reason TEXT NOT NULL,
  create_time TIMESTAMP WITH TIME ZONE NOT NULL,
  update_time TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (name)
);

CREATE INDEX booking_equipment ON booking (equipment, end_time) WHERE state = 1;

CREATE INDEX booking_of_equipment ON booking (equipment, name);

CREATE INDEX booking_organization ON booking (organization, name);

CREATE TABLE feed (
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  display_name TEXT NOT NULL,
  direction INTEGER NOT NULL,
  system INTEGER NOT NULL,
  issuer TEXT NOT NULL,
  url TEXT NOT NULL,
  source TEXT NOT NULL,
  kind INTEGER NOT NULL,
  mapping TEXT NOT NULL,
  publish BOOLEAN NOT NULL,
  body TEXT NOT NULL,
  interval INTEGER NOT NULL,
  expected_every INTEGER NOT NULL,
  silence INTEGER NOT NULL,
  state INTEGER NOT NULL,
  cursor TEXT NOT NULL,
  lap_pages INTEGER NOT NULL,
  lap_mark TEXT NOT NULL,
  last_heard_at TIMESTAMP WITH TIME ZONE,
  last_record_at TIMESTAMP WITH TIME ZONE,
  quiet_from TIMESTAMP WITH TIME ZONE NOT NULL,
  silent BOOLEAN NOT NULL,
  failures INTEGER NOT NULL,
  error_zh TEXT NOT NULL,
  error_en TEXT NOT NULL,
  next_run_at TIMESTAMP WITH TIME ZONE NOT NULL,
  claim UUID,
  create_time TIMESTAMP WITH TIME ZONE NOT NULL,
  update_time TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (name)
);

CREATE INDEX feed_due ON feed (next_run_at) WHERE state = 1;

CREATE INDEX feed_issuer ON feed (issuer, name);

CREATE UNIQUE INDEX feed_source ON feed (issuer, source) WHERE direction = 1 AND state <> 3;

CREATE TABLE feed_record (
  feed TEXT NOT NULL,
  external_key TEXT NOT NULL,
  version BIGINT NOT NULL,
  deleted BOOLEAN NOT NULL,
  again BOOLEAN NOT NULL,
  PRIMARY KEY (feed, external_key)
);

CREATE TABLE feed_refusal (
  feed TEXT NOT NULL,
  record TEXT NOT NULL,
  id UUID NOT NULL,
  external_key TEXT NOT NULL,
  version BIGINT NOT NULL,
  line INTEGER NOT NULL,
  problems JSONB NOT NULL,
  create_time TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (feed, record)
);

CREATE INDEX feed_refusal_newest ON feed_refusal (feed, id);

CREATE TABLE feed_secret (
  feed TEXT NOT NULL,
  secret TEXT NOT NULL,
  previous TEXT NOT NULL,
  previous_until TIMESTAMP WITH TIME ZONE,
  PRIMARY KEY (feed)
);

CREATE TABLE feed_sent (
  feed TEXT NOT NULL,
  listing TEXT NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (feed, listing)
);

CREATE TABLE listing (
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  issuer TEXT NOT NULL,
  kind INTEGER NOT NULL,
  state INTEGER NOT NULL,
  visibility INTEGER NOT NULL,
  bodies TEXT[] NOT NULL,
  areas TEXT[] NOT NULL,
  source TEXT NOT NULL,
  external_key TEXT NOT NULL,
  content_hash TEXT NOT NULL,
  valid_from DATE NOT NULL,
  valid_to DATE NOT NULL,
  list_year INTEGER NOT NULL,
  counts_on DATE,
  published_at TIMESTAMP WITH TIME ZONE,
  create_time TIMESTAMP WITH TIME ZONE NOT NULL,
  update_time TIMESTAMP WITH TIME ZONE NOT NULL,
  content BYTEA NOT NULL,
  PRIMARY KEY (name)
);

CREATE INDEX listing_areas ON listing USING gin (areas);

CREATE INDEX listing_bodies ON listing USING gin (bodies);

CREATE INDEX listing_issuer ON listing (issuer, name);

CREATE INDEX listing_key ON listing (external_key, name) WHERE external_key <> '';

CREATE INDEX listing_kind ON listing (kind, state, name);

CREATE INDEX listing_public ON listing (name) INCLUDE (version) WHERE state = 2 AND visibility = 1;

CREATE INDEX listing_source ON listing (source, name) WHERE source <> '';

CREATE INDEX listing_state ON listing (state, name);

CREATE INDEX listing_validity ON listing (valid_to) WHERE state = 2;

CREATE UNIQUE INDEX listing_identity ON listing (issuer, source, external_key) WHERE external_key <> '';

CREATE TABLE round (
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  body TEXT NOT NULL,
  kind INTEGER NOT NULL,
  period TEXT NOT NULL,
  opens_on DATE NOT NULL,
  closes_on DATE NOT NULL,
  state INTEGER NOT NULL,
  previous TEXT NOT NULL,
  silent INTEGER NOT NULL,
  create_time TIMESTAMP WITH TIME ZONE NOT NULL,
  update_time TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (name),
  CONSTRAINT round_once UNIQUE (body, kind, period)
);

CREATE INDEX round_open ON round (closes_on) WHERE state = 1;

CREATE TABLE round_listing (
  round TEXT NOT NULL,
  listing TEXT NOT NULL,
  kind INTEGER NOT NULL,
  change INTEGER DEFAULT 0 NOT NULL,
  version BIGINT DEFAULT 0 NOT NULL,
  content BYTEA DEFAULT '' NOT NULL,
  issuer TEXT DEFAULT '' NOT NULL,
  bodies TEXT[] DEFAULT '{}' NOT NULL,
  visibility INTEGER DEFAULT 0 NOT NULL,
  state INTEGER DEFAULT 0 NOT NULL,
  PRIMARY KEY (round, listing)
);

CREATE TABLE silence (
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  round TEXT NOT NULL,
  organization TEXT NOT NULL,
  last_round TEXT NOT NULL,
  PRIMARY KEY (name),
  CONSTRAINT silence_once UNIQUE (round, organization)
);
