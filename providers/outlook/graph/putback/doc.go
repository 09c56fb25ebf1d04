// Package putback writes mail, contacts and events back into mailboxes of Microsoft 365.
//
// Each item is made by one POST that says all of it, for what a message says cannot be
// changed later: from 31 December 2026 on Graph refuses that for everything but drafts.
// The POST has a mark in it, a named property with the run and the item, by which the
// same item is found again after a kill or a lost answer; so everything is there once.
// What does not fit into the POST follows it: large attachments by upload sessions, the
// picture of a contact, the exceptions of a series. The mark says whether that is there.
//
// Nothing goes out to anybody. Events are made without attendees, who are listed at the
// end of the text instead; and a message does not ask for receipts again, because whoever
// opens it would send one.
//
// What cannot be kept: the UID of an event, and its organizer, who becomes the owner of
// the mailbox; ids; the time when an item was made.
//
// Sources: learn.microsoft.com/graph/api/user-post-messages, /graph/outlook-large-attachments,
// /graph/api/resources/extended-properties-overview, /graph/api/resources/event.
package putback
