// Package gorm shows, by its tests, policies that Casbin's adapter for gorm keeps
// in SQLite and in PostgreSQL.
package gorm
