-- One word for it everywhere: a row says that an object keeps something that names a user.
ALTER TABLE traces RENAME TO user_references;
