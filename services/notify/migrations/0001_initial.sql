CREATE TABLE delivery (
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  subscription TEXT NOT NULL,
  event_id TEXT NOT NULL,
  event_type TEXT NOT NULL,
  subject TEXT NOT NULL,
  about JSONB NOT NULL,
  data JSONB NOT NULL,
  occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
  traceparent TEXT NOT NULL,
  state INTEGER NOT NULL,
  attempts JSONB NOT NULL,
  tries INTEGER NOT NULL,
  next_attempt_at TIMESTAMP WITH TIME ZONE,
  create_time TIMESTAMP WITH TIME ZONE NOT NULL,
  update_time TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (name),
  CONSTRAINT delivery_once UNIQUE (subscription, event_id)
);

CREATE INDEX delivery_due ON delivery (next_attempt_at) WHERE state = 1;

CREATE INDEX delivery_open ON delivery (subject) WHERE state IN (1, 3);

CREATE INDEX delivery_subscription ON delivery (subscription, name);

CREATE TABLE inbox_message (
  name TEXT NOT NULL,
  organization TEXT NOT NULL,
  subscription TEXT NOT NULL,
  event_id TEXT NOT NULL,
  event_type TEXT NOT NULL,
  subject TEXT NOT NULL,
  title TEXT NOT NULL,
  text TEXT NOT NULL,
  read BOOLEAN NOT NULL,
  create_time TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (name),
  CONSTRAINT inbox_once UNIQUE (subscription, event_id)
);

CREATE INDEX inbox_organization ON inbox_message (organization, name);

CREATE TABLE subscription (
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  organization TEXT NOT NULL,
  subscriber TEXT NOT NULL,
  event_types TEXT[] NOT NULL,
  filter_body TEXT NOT NULL,
  filter_kinds INTEGER[] NOT NULL,
  filter_organization TEXT NOT NULL,
  channel INTEGER NOT NULL,
  language INTEGER NOT NULL,
  recipient TEXT NOT NULL,
  webhook_url TEXT NOT NULL,
  active BOOLEAN NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  create_time TIMESTAMP WITH TIME ZONE NOT NULL,
  update_time TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (name)
);

CREATE INDEX subscription_organization ON subscription (organization, name);

CREATE INDEX subscription_types ON subscription USING gin (event_types) WHERE active;

CREATE TABLE webhook_secret (
  subscription TEXT NOT NULL,
  secret TEXT NOT NULL,
  PRIMARY KEY (subscription)
);
