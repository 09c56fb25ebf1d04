// Package cpanel backs up cPanel hosting accounts: it has the host make a full
// backup, watches it, brings it home and proves it on the way; takes the home
// directory, databases, e-mail forwarders and filters as parts; sees what the host
// holds of its own backups before it rotates them away; and puts parts back.
//
// The host is spoken to by UAPI and API 2 with an API token of the account, or by
// WHM API 1 with a token of WHM. What cPanel's documents leave open is probed while
// it works: the shape of the envelope, the way by which a file can be downloaded, the
// way in which a backup can be watched. See contract.go for every call that is made
// and where it is documented.
package cpanel
