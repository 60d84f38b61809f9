-- The tables of package source/postgres, version 1. Everything is created only
-- if it is not there, so that this may be run again.
create schema if not exists sallyport;

create table if not exists sallyport.version (
	version integer primary key
);
insert into sallyport.version values (1) on conflict do nothing;

-- The newest revision of each set of files. Who publishes moves it on by
-- compare and swap.
create table if not exists sallyport.head (
	name     text primary key,
	revision bigint not null check (revision >= 0)
);

-- The history: who, when, from what and why.
create table if not exists sallyport.revision (
	name      text not null references sallyport.head,
	revision  bigint not null check (revision > 0),
	published timestamptz not null default clock_timestamp(),
	db_user   text not null default session_user,
	hash      text not null,
	author    text not null,
	commit_id text not null,
	message   text not null,
	forced    text not null,
	restores  bigint not null,
	primary key (name, revision)
);

-- What each revision holds.
create table if not exists sallyport.file (
	name     text not null,
	revision bigint not null,
	path     text not null,
	content  bytea not null,
	primary key (name, revision, path),
	foreign key (name, revision) references sallyport.revision on delete cascade
);
