// Package outlook backs up mailboxes of Microsoft 365 and puts what is in them back.
//
// A backup is made in two passes. Download reads the folders of a mailbox by delta
// queries and brings every item into a [Spool] on this machine, at the pace that the
// vendor allows, and goes on where it stopped however often it is killed. Fetch makes the
// archive of what lies there: EML, VCF and ICS in folders named as in the mailbox, an
// index, and a PST, written from these files and checked before it counts.
//
// The package knows no wire: a [Server] reads mailboxes, a [Restorer] writes into them, an
// [Exporter] has Purview make a PST. They and the spool are given by whoever joins them.
package outlook
