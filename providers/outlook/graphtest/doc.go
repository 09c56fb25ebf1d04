// Package graphtest is a fake tenant of Microsoft 365 for tests: the token endpoint of
// Entra and the part of Microsoft Graph v1.0 that reaches mailboxes, on loopback and over
// TLS. It keeps state and behaves as badly as the vendor's documents say.
//
// A [Tenant] holds applications and people; each person has a [Mailbox] of folders,
// messages, contacts and events, which a test builds and changes while a client reads.
// What a mailbox holds is written on demand, so that one of 100,000 messages costs a few
// megabytes.
//
// What is bad about it, without being asked:
//   - more than 4 requests at once for a mailbox, and more than 10,000 in 10 minutes, are
//     answered with 429 and Retry-After (learn.microsoft.com/graph/throttling-limits);
//     refused requests count
//   - ids change when an item is moved, unless the request asks for immutable ones in its
//     Prefer header (learn.microsoft.com/graph/outlook-immutable-id); some differ from one
//     another in the case of a letter only
//   - the pages of a delta query repeat items; what changes while it is read comes again;
//     $top ends the round instead of setting the page
//   - full messages in large pages end in 504 and 503
//   - links to the next page are absolute, in the other notation of OData, and opaque
//
// What can be written, with what Microsoft says of it: folders; messages of JSON and of
// MIME, with attachments and upload sessions; contacts with photos; events. What goes out
// to people is counted in [Tenant.Sent].
//
// What a test asks for: [Tenant.Throttle], [Tenant.Fail], [Tenant.Hold],
// [Mailbox.ExpireDelta], [Item.Poison], [Tenant.ExpireTokens].
//
// With a [Schema], which is read from Microsoft's type metadata, every answer is checked,
// and what is wrong is in [Tenant.Violations].
package graphtest
