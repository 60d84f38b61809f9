// Package clienttable finds out what clients do with answers of Sallyport, by
// having them ask, and keeps the table in docs/client-behaviour.md. There is
// nothing to import: go test ./.ci/checks/clienttable compares the table with
// what the clients do now, and with -update writes it.
package clienttable
