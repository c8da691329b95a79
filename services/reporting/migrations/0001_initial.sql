CREATE TABLE deadline (
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  body TEXT NOT NULL,
  rule TEXT NOT NULL,
  period TEXT NOT NULL,
  opens_on DATE NOT NULL,
  due_on DATE NOT NULL,
  state TEXT NOT NULL,
  next_on DATE,
  closed_late BOOLEAN NOT NULL,
  closed_by_event TEXT NOT NULL,
  create_time TIMESTAMP WITH TIME ZONE NOT NULL,
  update_time TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (name),
  CONSTRAINT deadline_once UNIQUE (body, rule, period)
);

CREATE INDEX deadline_body ON deadline (body, due_on, name);

CREATE INDEX deadline_closed_by ON deadline (closed_by_event) WHERE closed_by_event <> '';

CREATE INDEX deadline_next ON deadline (next_on) WHERE next_on IS NOT NULL;

CREATE TABLE fact (
  event_id TEXT NOT NULL,
  event_type TEXT NOT NULL,
  aggregate TEXT NOT NULL,
  verb TEXT NOT NULL,
  subject TEXT NOT NULL,
  version BIGINT NOT NULL,
  kind INTEGER NOT NULL,
  counts BOOLEAN NOT NULL,
  accepted BOOLEAN NOT NULL,
  valid_from DATE,
  valid_to DATE,
  effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
  business_date DATE NOT NULL,
  PRIMARY KEY (event_id)
);

CREATE INDEX fact_subject ON fact (subject, version);

CREATE TABLE fact_body (
  event_id TEXT NOT NULL,
  body TEXT NOT NULL,
  aggregate TEXT NOT NULL,
  side TEXT NOT NULL,
  effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
  business_date DATE NOT NULL,
  PRIMARY KEY (event_id, body)
);

CREATE INDEX fact_body_period ON fact_body (body, aggregate, business_date);

CREATE INDEX fact_body_side ON fact_body (body, side, effective_at) WHERE side <> '';

CREATE TABLE figure_source (
  report TEXT NOT NULL,
  revision INTEGER NOT NULL,
  figure TEXT NOT NULL,
  event_id TEXT NOT NULL,
  event_type TEXT NOT NULL,
  subject TEXT NOT NULL,
  version BIGINT NOT NULL,
  amount INTEGER NOT NULL,
  effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (report, revision, figure, event_id)
);

CREATE TABLE report (
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  body TEXT NOT NULL,
  kind INTEGER NOT NULL,
  period TEXT NOT NULL,
  revision INTEGER NOT NULL,
  create_time TIMESTAMP WITH TIME ZONE NOT NULL,
  update_time TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (name),
  CONSTRAINT report_once UNIQUE (body, kind, period)
);

CREATE TABLE report_revision (
  report TEXT NOT NULL,
  revision INTEGER NOT NULL,
  submitted BOOLEAN NOT NULL,
  submit_event TEXT NOT NULL,
  figures JSONB NOT NULL,
  recipients JSONB NOT NULL,
  amendment_reason TEXT NOT NULL,
  cutoff_time TIMESTAMP WITH TIME ZONE NOT NULL,
  submit_time TIMESTAMP WITH TIME ZONE,
  workbook BYTEA NOT NULL,
  workbook_sha256 TEXT NOT NULL,
  PRIMARY KEY (report, revision)
);
