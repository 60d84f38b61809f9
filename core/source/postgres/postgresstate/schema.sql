-- The tables of package postgresstate, version 1. Everything is created only if it is
-- not there, so that this may be run again.
create schema if not exists sallyport_state;

create table if not exists sallyport_state.version (
	version integer primary key
);
insert into sallyport_state.version values (1) on conflict do nothing;

-- The log of revocations of each service.
create table if not exists sallyport_state.revocation (
	service  text not null,
	revision bigint not null check (revision > 0),
	tag      text not null check (octet_length(tag) between 1 and 64),
	added    timestamptz not null default clock_timestamp(),
	db_user  text not null default session_user,
	note     text not null default '' check (octet_length(note) <= 4096),
	entry    text not null check (octet_length(entry) <= 65536),
	expires  timestamptz,
	primary key (service, revision)
);
create index if not exists revocation_expires on sallyport_state.revocation (service, expires) where expires is not null;

-- Numbers are given one after the other and become visible in that order: whoever adds
-- holds up others who do until the end of the transaction.
create or replace function sallyport_state.add_revocation() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
	perform pg_advisory_xact_lock(hashtextextended('sallyport_state.revocation ' || new.service, 0));
	select coalesce(max(r.revision), 0) + 1 into new.revision from sallyport_state.revocation r where r.service = new.service;
	new.added := clock_timestamp();
	new.db_user := session_user;
	perform pg_notify('sallyport_state', new.service);
	return new;
end $$;

-- What has expired for an hour may be dropped, save the newest record: instances know
-- by it that they have read all.
create or replace function sallyport_state.drop_revocation() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
	if old.expires is null or old.expires > clock_timestamp() - interval '1 hour' then
		raise exception 'sallyport: a revocation that has not expired for an hour is kept';
	end if;
	if old.revision = (select max(r.revision) from sallyport_state.revocation r where r.service = old.service) then
		raise exception 'sallyport: the newest revocation is kept';
	end if;
	return old;
end $$;

drop trigger if exists added on sallyport_state.revocation;
create trigger added before insert on sallyport_state.revocation
	for each row execute function sallyport_state.add_revocation();
drop trigger if exists dropped on sallyport_state.revocation;
create trigger dropped before delete on sallyport_state.revocation
	for each row execute function sallyport_state.drop_revocation();

-- Sessions and refresh state of each service: entries that expire.
create table if not exists sallyport_state.entry (
	service text not null,
	key     text not null check (octet_length(key) <= 256),
	data    bytea not null check (octet_length(data) <= 1048576),
	expires timestamptz not null,
	primary key (service, key)
);
create index if not exists entry_expires on sallyport_state.entry (service, expires);
