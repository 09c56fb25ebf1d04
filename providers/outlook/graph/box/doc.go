// Package box reads mailboxes of Microsoft 365 through Microsoft Graph v1.0. It is the
// outlook.Server: folders, what is in them and what changed there, and single items in the
// standard form of their kind.
//
// Mail comes as Exchange writes it (/messages/{id}/$value), streamed. What Exchange cannot
// convert is rebuilt of its parts; what cannot be had at all is an outlook.ErrPoison with the
// reason. Contacts and events have no download of their own in Graph, and are written as
// vCard and iCalendar from their JSON.
//
// What it does not see: the online archive and lists of contacts (distribution lists), which
// Graph does not give, search folders, which hold nothing of their own, and occurrences of a
// series, which follow from it.
//
// Folders of mail and of contacts are read by delta queries. Calendars have none in v1.0 that
// is good for whole calendars (learn.microsoft.com/graph/api/event-delta: a view of the
// primary one, with a window), so that each reading of one lists all of it: its Position is
// Full, and its State is the word [WholeState].
package box
