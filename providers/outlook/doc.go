// Package outlook has the nouns of backups of Microsoft 365 mailboxes, and what the
// packages below it are joined by.
//
// A backup is made in two passes. outlook/download reads the folders of a mailbox by delta
// queries and brings every item into a [Spool] on this machine, at the pace that the vendor
// allows, and goes on where it stopped however often it is killed; outlook/spool is that
// spool. outlook/archive makes the archive of what lies there: EML, VCF and ICS in folders
// named as in the mailbox, an index, and a PST, written from these files and checked before
// it counts. outlook/restore puts items of archives into mailboxes.
//
// None of them knows a wire: a [Server] reads mailboxes, a [Restorer] writes into them, an
// [Exporter] has Purview make a PST. What does so over Microsoft Graph is below
// outlook/graph.
package outlook
