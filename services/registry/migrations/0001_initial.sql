CREATE TABLE access_grant (
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  principal TEXT NOT NULL,
  role INTEGER NOT NULL,
  organization TEXT NOT NULL,
  body TEXT NOT NULL,
  active BOOLEAN NOT NULL,
  create_time TIMESTAMP WITH TIME ZONE NOT NULL,
  update_time TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (name)
);

CREATE INDEX grant_body ON access_grant (body);

CREATE INDEX grant_organization ON access_grant (organization);

CREATE UNIQUE INDEX grant_once ON access_grant (principal, role, organization, body) WHERE active;

CREATE TABLE application (
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  programme INTEGER NOT NULL,
  state INTEGER NOT NULL,
  applicant TEXT NOT NULL,
  body TEXT NOT NULL,
  call TEXT NOT NULL,
  authority TEXT NOT NULL,
  due_on DATE,
  remind_on DATE,
  create_time TIMESTAMP WITH TIME ZONE NOT NULL,
  content BYTEA NOT NULL,
  PRIMARY KEY (name)
);

CREATE INDEX application_applicant ON application (applicant);

CREATE INDEX application_authority ON application (authority);

CREATE INDEX application_body ON application (body) WHERE body <> '';

CREATE INDEX application_call_of ON application (call);

CREATE INDEX application_due ON application (due_on) WHERE due_on IS NOT NULL;

CREATE INDEX application_remind ON application (remind_on) WHERE remind_on IS NOT NULL;

CREATE TABLE application_call (
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  programme INTEGER NOT NULL,
  year INTEGER NOT NULL,
  authority TEXT NOT NULL,
  create_time TIMESTAMP WITH TIME ZONE NOT NULL,
  content BYTEA NOT NULL,
  PRIMARY KEY (name)
);

CREATE INDEX call_of ON application_call (programme, year, authority);

CREATE TABLE application_document (
  application TEXT NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (application, document)
);

CREATE INDEX attachment_document ON application_document (document);

CREATE TABLE application_party (
  application TEXT NOT NULL,
  organization TEXT NOT NULL,
  principal TEXT NOT NULL,
  PRIMARY KEY (application, organization, principal)
);

CREATE INDEX party_organization ON application_party (organization) WHERE organization <> '';

CREATE INDEX party_principal ON application_party (principal) WHERE principal <> '';

CREATE TABLE application_turn (
  application TEXT NOT NULL,
  turns_on DATE,
  policy TEXT NOT NULL,
  PRIMARY KEY (application)
);

CREATE INDEX application_turn_day ON application_turn (turns_on, application) WHERE turns_on IS NOT NULL;

CREATE TABLE body (
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  display_name TEXT NOT NULL,
  kind INTEGER NOT NULL,
  state INTEGER NOT NULL,
  formed BOOLEAN NOT NULL,
  key_industry TEXT NOT NULL,
  applicant TEXT NOT NULL,
  task_force TEXT NOT NULL,
  judged_by TEXT[] NOT NULL,
  external_key TEXT NOT NULL,
  create_time TIMESTAMP WITH TIME ZONE NOT NULL,
  content BYTEA NOT NULL,
  PRIMARY KEY (name)
);

CREATE INDEX body_applicant ON body (applicant) WHERE applicant <> '';

CREATE INDEX body_industry ON body (lower(key_industry)) WHERE key_industry <> '';

CREATE INDEX body_judged_by ON body USING gin (judged_by);

CREATE INDEX body_name ON body (display_name, name);

CREATE INDEX body_task_force ON body (task_force) WHERE task_force <> '';

CREATE UNIQUE INDEX body_external ON body (external_key) WHERE external_key <> '';

CREATE TABLE body_check (
  body TEXT NOT NULL,
  checked_on DATE NOT NULL,
  policy TEXT NOT NULL,
  PRIMARY KEY (body)
);

CREATE INDEX body_check_day ON body_check (checked_on, body);

CREATE TABLE body_outdated (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  body TEXT NOT NULL,
  PRIMARY KEY (id)
);

CREATE TABLE certification (
  name TEXT NOT NULL,
  application TEXT NOT NULL,
  organization TEXT NOT NULL,
  kind INTEGER NOT NULL,
  region_code TEXT NOT NULL,
  industry_code TEXT NOT NULL,
  state INTEGER NOT NULL,
  cultivated_on DATE NOT NULL,
  certified_on DATE,
  exited_on DATE,
  PRIMARY KEY (name)
);

CREATE INDEX certification_organization ON certification (organization);

CREATE TABLE document (
  name TEXT NOT NULL,
  owner TEXT NOT NULL,
  file_name TEXT NOT NULL,
  media_type TEXT NOT NULL,
  size BIGINT NOT NULL,
  sha256 TEXT NOT NULL,
  state INTEGER NOT NULL,
  uploaded_by TEXT NOT NULL,
  create_time TIMESTAMP WITH TIME ZONE NOT NULL,
  erased_by TEXT NOT NULL,
  erase_reason TEXT NOT NULL,
  content_left BOOLEAN NOT NULL,
  PRIMARY KEY (name)
);

CREATE INDEX document_content_left ON document (name) WHERE content_left;

CREATE INDEX document_owner ON document (owner);

CREATE TABLE finding (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  subject TEXT NOT NULL,
  rule TEXT NOT NULL,
  since TIMESTAMP WITH TIME ZONE NOT NULL,
  version BIGINT NOT NULL,
  content BYTEA NOT NULL,
  PRIMARY KEY (id)
);

CREATE INDEX finding_newest ON finding (subject, rule, id);

CREATE TABLE former_roles (
  membership TEXT NOT NULL,
  last DATE NOT NULL,
  roles INTEGER[] NOT NULL,
  PRIMARY KEY (membership, last)
);

CREATE TABLE membership (
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  body TEXT NOT NULL,
  organization TEXT NOT NULL,
  roles INTEGER[] NOT NULL,
  valid_from DATE NOT NULL,
  valid_to DATE,
  create_time TIMESTAMP WITH TIME ZONE NOT NULL,
  update_time TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (name)
);

CREATE INDEX membership_body ON membership (body);

CREATE INDEX membership_organization ON membership (organization);

CREATE TABLE organization (
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  display_name TEXT NOT NULL,
  org_type INTEGER NOT NULL,
  verified BOOLEAN NOT NULL,
  credit_code TEXT NOT NULL,
  parent TEXT NOT NULL,
  region_code TEXT NOT NULL,
  external_key TEXT NOT NULL,
  create_time TIMESTAMP WITH TIME ZONE NOT NULL,
  content BYTEA NOT NULL,
  PRIMARY KEY (name)
);

CREATE INDEX organization_dependants ON organization (parent) WHERE verified AND parent <> '';

CREATE INDEX organization_name ON organization (display_name, name);

CREATE UNIQUE INDEX organization_code ON organization (credit_code) WHERE verified AND credit_code <> '';

CREATE UNIQUE INDEX organization_external ON organization (external_key) WHERE external_key <> '';
