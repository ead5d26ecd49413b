create user sogo password 'sogo';
create database sogo owner sogo encoding 'UTF8' template template0;
\connect sogo
create table sogo_users (
  c_uid varchar(64) primary key,
  c_name varchar(64),
  c_password varchar(255),
  c_cn varchar(128),
  mail varchar(128)
);
alter table sogo_users owner to sogo;
