// Package mailbox looks into Outlook data files (PST): those that are backed up, and
// those that lie in archives. It says what is inside, lists folders and items, and
// brings them out as EML, ICS and VCF files.
//
// An Outlook data file has to be read here and there. In an archive that has a seek table
// it is, without being unpacked. From others, and by whoever reads much of it, it is first
// unpacked into a temporary file. That file is encrypted with a
// key that nobody but this process has and that is never written down: what a kill
// leaves of it is noise, and is removed at the next start. Nothing is ever held in
// memory whole.
package mailbox
