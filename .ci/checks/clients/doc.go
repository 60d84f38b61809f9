// Package clients holds no code of its own: its tests send the requests of real
// programs, curl, wget and Chromium, to all example servers.
package clients
