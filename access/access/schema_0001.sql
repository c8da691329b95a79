CREATE TABLE access_body (
  name TEXT NOT NULL,
  display_name TEXT NOT NULL,
  kind INTEGER NOT NULL,
  state INTEGER NOT NULL,
  formed_on TEXT NOT NULL,
  key_industry TEXT NOT NULL,
  task_force TEXT NOT NULL,
  lead_departments TEXT[] NOT NULL,
  suspended_on TEXT DEFAULT '' NOT NULL,
  resumed_on TEXT DEFAULT '' NOT NULL,
  PRIMARY KEY (name)
);

CREATE TABLE access_grant (
  name TEXT NOT NULL,
  principal TEXT NOT NULL,
  role INTEGER NOT NULL,
  organization TEXT NOT NULL,
  body TEXT NOT NULL,
  active BOOLEAN NOT NULL,
  PRIMARY KEY (name)
);

CREATE INDEX access_grant_body ON access_grant (body);

CREATE INDEX access_grant_principal ON access_grant (principal);

CREATE TABLE access_membership (
  name TEXT NOT NULL,
  body TEXT NOT NULL,
  organization TEXT NOT NULL,
  roles INTEGER[] NOT NULL,
  valid_from DATE NOT NULL,
  valid_to DATE,
  PRIMARY KEY (name)
);

CREATE INDEX access_membership_body ON access_membership (body);

CREATE INDEX access_membership_organization ON access_membership (organization);

CREATE TABLE access_organization (
  name TEXT NOT NULL,
  display_name TEXT NOT NULL,
  org_type INTEGER NOT NULL,
  verified BOOLEAN NOT NULL,
  parent TEXT NOT NULL,
  region_code TEXT NOT NULL,
  PRIMARY KEY (name)
);
