-- The table that the samples of the source documents read from.

CREATE TABLE person (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL
);

INSERT INTO person (id, name) VALUES (1, 'Ada'), (2, 'Blaise'), (11, 'Grace');
