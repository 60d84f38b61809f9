-- The tables of package source/postgres, version 4. Everything is created only
-- if it is not there, so that this may be run again.
create schema if not exists sallyport;

create table if not exists sallyport.version (
	version integer primary key
);
insert into sallyport.version values (1), (2), (3), (4) on conflict do nothing;

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

-- How the files of a revision are made of those of the one before, in the row of one of
-- them: it has the lines that are new, and whoever may read it may read them in place.
-- Null if all files have to be read.
alter table sallyport.file add column if not exists edit text;

-- Every instance reads the files of each revision: what is packed by lz4 costs
-- them half of what the default does. Not every server was built with it.
do $$ begin
	execute 'alter table sallyport.file alter content set compression lz4';
exception when feature_not_supported or syntax_error then null;
end $$;

-- What the grants leave open to a publisher, triggers refuse: the newest revision
-- only moves on, its entry is written once, by this name and at this time, and
-- files come with it in one transaction.
create or replace function sallyport.check_head() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
	if tg_op = 'INSERT' then
		if new.revision <> 0 then
			raise exception 'sallyport: a set of files begins at revision 0';
		end if;
	elsif new.name <> old.name or new.revision <= old.revision then
		raise exception 'sallyport: the newest revision only moves on';
	end if;
	return new;
end $$;

create or replace function sallyport.check_revision() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
	if not exists (select from sallyport.head h where h.name = new.name and h.revision = new.revision
			and h.xmin = pg_current_xact_id()::xid) then
		raise exception 'sallyport: an entry is added when its revision becomes the newest';
	end if;
	new.published := clock_timestamp();
	new.db_user := session_user;
	return new;
end $$;

create or replace function sallyport.check_file() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
	if not exists (select from sallyport.revision r where r.name = new.name and r.revision = new.revision
			and r.xmin = pg_current_xact_id()::xid) then
		raise exception 'sallyport: files are added with their revision';
	end if;
	return new;
end $$;

create or replace function sallyport.check_entry() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
	if not exists (select from sallyport.revision r where r.name = new.name and r.revision = new.revision) then
		raise exception 'sallyport: a revision becomes the newest with its entry';
	end if;
	return null;
end $$;

drop trigger if exists entered on sallyport.head;
create constraint trigger entered after update on sallyport.head
	deferrable initially deferred for each row execute function sallyport.check_entry();
drop trigger if exists checked on sallyport.head;
create trigger checked before insert or update on sallyport.head
	for each row execute function sallyport.check_head();
drop trigger if exists checked on sallyport.revision;
create trigger checked before insert on sallyport.revision
	for each row execute function sallyport.check_revision();
drop trigger if exists checked on sallyport.file;
create trigger checked before insert on sallyport.file
	for each row execute function sallyport.check_file();
