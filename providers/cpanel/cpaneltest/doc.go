// Package cpaneltest is a fake cPanel & WHM host for tests, which behaves as badly as a
// real one: it answers login pages with status 200, in two shapes of envelope, with
// numbers as strings; its full backups lie under their final names while they grow; two
// of them may run at once, and overwrite each other within the same second; a failed
// push says status 1 and a pid; an error of a database is written into the stream after
// the 200; a restore goes on when the client is gone; unlink says that it has deleted
// what it has not.
//
// A [Host] listens on two loopback ports over TLS, with a certificate of its own: one
// has the manners of 2083 (cPanel: /execute, /json-api/cpanel, /login, the download
// routes), the other those of 2087 (WHM: /json-api). What an account holds is made and
// read with the methods of [Account], and what goes wrong with [Host.Fault].
//
// Functions, parameters, shapes and texts are from api.docs.cpanel.net (UAPI, cPanel API
// 2 and WHM API 1) and docs.cpanel.net; where the documents leave something open, the
// place says what was chosen. Every call is held against cpanel.Contract; see
// [Host.Violations].
//
// [WriteArchive], [MysqlDump] and [Damage] make archives and broken ones without a host.
package cpaneltest
