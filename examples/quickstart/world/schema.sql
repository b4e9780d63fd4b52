-- The quickstart's data. See main.go for where it comes from.

CREATE TABLE about (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

-- Countries and territories of ISO 3166-1.
CREATE TABLE regions (
  code      TEXT PRIMARY KEY,       -- ISO 3166-1 alpha-2
  code3     TEXT NOT NULL UNIQUE,   -- ISO 3166-1 alpha-3
  m49       INTEGER NOT NULL UNIQUE, -- UN M49
  name      TEXT NOT NULL,
  continent TEXT NOT NULL,          -- far islands and Antarctica count as Oceania
  subregion TEXT                    -- NULL for these
) STRICT;

-- The groups of UN M49, from the world down to Western Europe.
CREATE TABLE region_groups (
  m49  INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE region_group_members (
  group_m49   INTEGER NOT NULL REFERENCES region_groups (m49),
  region_code TEXT NOT NULL REFERENCES regions (code),
  PRIMARY KEY (group_m49, region_code)
) STRICT, WITHOUT ROWID;

CREATE TABLE languages (
  code        TEXT PRIMARY KEY,     -- ISO 639-1, else ISO 639-2 or -3
  code3       TEXT NOT NULL,
  name        TEXT NOT NULL,
  native_name TEXT,
  script      TEXT                  -- the usual one, ISO 15924
) STRICT;

CREATE TABLE currencies (
  code          TEXT PRIMARY KEY,   -- ISO 4217
  symbol        TEXT NOT NULL,
  narrow_symbol TEXT NOT NULL,
  digits        INTEGER NOT NULL    -- behind the decimal point
) STRICT;

-- Legal tender.
CREATE TABLE region_currencies (
  region_code   TEXT NOT NULL REFERENCES regions (code),
  currency_code TEXT NOT NULL REFERENCES currencies (code),
  since         TEXT,
  PRIMARY KEY (region_code, currency_code)
) STRICT, WITHOUT ROWID;

-- The region's most likely language, and the languages whose most likely home it is.
CREATE TABLE region_languages (
  region_code   TEXT NOT NULL REFERENCES regions (code),
  language_code TEXT NOT NULL REFERENCES languages (code),
  PRIMARY KEY (region_code, language_code)
) STRICT, WITHOUT ROWID;
