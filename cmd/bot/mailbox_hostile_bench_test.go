package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"keepwatch/providers/outlook/graphtest"
)

// oneAtATime is the load that tells whether what is large is held by one call at a time: with
// four of them the program takes twice as much or more, and yet less than mailboxMemory.
const (
	oneAtATime = "8 series of close to 4 MiB"
	oneMemory  = 56 // MiB
)

// hostileLoads are mailboxes in which everything that is long comes four times, once for each
// call that Microsoft 365 answers at once. text is how many MiB the longest text has.
func hostileLoads(text int) map[string]func(b *graphtest.Mailbox) {
	const four = 4
	page := func(mib int) string {
		return strings.Repeat("<p>What is in it does not matter, \u00e9 \"but\" it takes its room.</p>\r\n", mib<<20/68)
	}
	long, files := page(text), []graphtest.Attachment{{Name: "plan.pdf", Type: "application/pdf", Size: 3 << 20}}
	letter := graphtest.Message{Subject: "A long letter", From: storyFrom, Received: storyDay, Body: long, HTML: true, Attachments: files}
	return map[string]func(b *graphtest.Mailbox){
		fmt.Sprintf("4 times %d MiB of text in mails that are rebuilt", text): func(b *graphtest.Mailbox) {
			for range four {
				b.Folder("inbox").Message(letter).Poison(graphtest.Poison{Code: graphtest.MimeConversionFailed})
			}
		},
		fmt.Sprintf("4 times %d MiB of text in mails", text): func(b *graphtest.Mailbox) {
			for range four {
				b.Folder("inbox").Message(letter)
			}
		},
		fmt.Sprintf("4 times %d MiB of text in events", text/4): func(b *graphtest.Mailbox) {
			for i := range four {
				b.Calendar("").Event(graphtest.Event{Subject: fmt.Sprintf("A long plan %d", i), Start: storyDay, End: storyDay.Add(time.Hour), Body: long[:len(long)/4], HTML: true, Attachments: files})
			}
		},
		"8 mails in one another with 12 MiB of text each": func(b *graphtest.Mailbox) {
			b.Folder("inbox").Message(graphtest.Message{Subject: "Nested", MIME: nestedMails(8)})
		},
		"12 MiB of text in no known charset": func(b *graphtest.Mailbox) {
			b.Folder("inbox").Message(graphtest.Message{Subject: "Strange", MIME: nestedMails(1)})
		},
		"40 times 1 MiB of text in 4 calendars": func(b *graphtest.Mailbox) {
			one := page(1)
			for i := range 40 {
				b.Calendar([]string{"", "Team", "Home", "Club"}[i%four]).Event(graphtest.Event{Subject: fmt.Sprintf("Plan %d", i), Start: storyDay, End: storyDay.Add(time.Hour), Body: one, HTML: true})
			}
		},
		"16 contacts with 2 MiB of notes and a picture of 3 MiB": func(b *graphtest.Mailbox) {
			notes, photo := strings.Repeat("Met in Ruthin.\r\n", 2<<20/16), make([]byte, 3<<20)
			for i := range 16 {
				f := b.Contacts()
				if i%four > 0 {
					f = b.Contacts(fmt.Sprintf("Friends %d", i%four))
				}
				f.Contact(graphtest.Contact{GivenName: "Bea", Surname: fmt.Sprint(i), Notes: notes, Photo: photo})
			}
		},
		"4 series with 20 changed occurrences of 500 kB": func(b *graphtest.Mailbox) {
			half := page(1)[:500_000]
			for s := range four {
				e := graphtest.Event{Subject: fmt.Sprintf("Series %d", s), Start: storyDay, End: storyDay.Add(time.Hour), Recurrence: &graphtest.Recurrence{Type: "daily", Count: 100}, Exceptions: map[string]graphtest.Event{}}
				for d := range 20 {
					at := storyDay.AddDate(0, 0, d)
					e.Exceptions[at.Format(time.DateOnly)] = graphtest.Event{Subject: "Another time", Start: at.Add(time.Hour), End: at.Add(2 * time.Hour), Body: half, HTML: true}
				}
				b.Calendar("").Event(e)
			}
		},
		// All of it is in memory, because nothing of it is so long that it stays at the server.
		oneAtATime: func(b *graphtest.Mailbox) {
			for s := range 8 {
				b.Calendar("").Event(largestSeries(s))
			}
		},
		"80 mails to 2,000 people each": func(b *graphtest.Mailbox) {
			var all []graphtest.Address
			for i := range 2000 {
				all = append(all, graphtest.Address{Name: fmt.Sprintf("Somebody Number %d", i), Address: fmt.Sprintf("somebody.%d@fabrikam.example", i)})
			}
			for i := range 80 {
				b.Folder("inbox", fmt.Sprint(i%four)).Message(graphtest.Message{Subject: "To all", From: storyFrom, To: all, Received: storyDay, Body: "Hello.\r\n"})
			}
		},
		fmt.Sprintf("4 times %d MiB in events that are attached to mails", text/2): func(b *graphtest.Mailbox) {
			inner := graphtest.Event{Subject: "Inner", Start: storyDay, End: storyDay.Add(time.Hour), Body: long[:len(long)/2], HTML: true}
			for range four {
				m := letter
				m.Body, m.Attachments = "<p>See below.</p>", []graphtest.Attachment{{Name: "Inner", Event: &inner}, {Name: "Again", Event: &inner}}
				b.Folder("inbox").Message(m).Poison(graphtest.Poison{Code: graphtest.MimeConversionFailed})
			}
		},
	}
}

// largestSeries is a series that is held whole: none of its texts is so long that it stays at
// the server, and all together are just short of what one call may hold.
func largestSeries(number int) graphtest.Event {
	text := "<p>" + strings.Repeat("What is in it does not matter. ", 1_000_000/31) + "</p>"
	e := graphtest.Event{Subject: fmt.Sprintf("Series %d", number), Start: storyDay, End: storyDay.Add(time.Hour), Recurrence: &graphtest.Recurrence{Type: "daily", Count: 100}, Exceptions: map[string]graphtest.Event{}}
	for d := range 4 {
		at := storyDay.AddDate(0, 0, d)
		e.Exceptions[at.Format(time.DateOnly)] = graphtest.Event{Subject: "Another time", Start: at.Add(time.Hour), End: at.Add(2 * time.Hour), Body: text, HTML: true}
	}
	return e
}

// nestedMails is a mail with close to 12 MiB of HTML in a charset that nobody knows, of which
// each byte becomes three, attached to another one like it, and so on.
func nestedMails(many int) []byte {
	line := "<p>" + strings.Repeat("\xfc", 40) + "</p>\r\n"
	long, mail := strings.Repeat(line, (12<<20-1000)/len(line)), ""
	for n := range many {
		next := fmt.Sprintf("\r\n--m%d", n)
		inner := ""
		if mail != "" {
			inner = next + "\r\nContent-Type: message/rfc822\r\n\r\n" + mail
		}
		mail = fmt.Sprintf("From: bea@fabrikam.example\r\nSubject: Level %d\r\nDate: Wed, 31 Dec 2025 23:59:59 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m%d\r\n", n, n) +
			next + "\r\nContent-Type: text/html; charset=x-strange\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + long + inner + next + "--\r\n"
	}
	return []byte(mail)
}

// BenchmarkHostileMailboxMemory is BenchmarkMailboxMemory for mailboxes that were made to
// take as much as can be.
func BenchmarkHostileMailboxMemory(b *testing.B) {
	for name, fill := range hostileLoads(34) {
		for _, formats := range []string{"eml", "eml, pst"} {
			b.Run(name+" as "+formats, func(b *testing.B) {
				n := graphtest.New(b, graphtest.Options{Limits: graphtest.Limits{Requests: 1 << 30}})
				n.AddApp(tenantApp, tenantSecret, nil, readsAll...)
				fill(n.AddUser(graphtest.User{UPN: paceOwner}))
				if most := benchMailbox(b, n, formats, ""); name == oneAtATime && most > oneMemory {
					b.Errorf("%.1f MiB of memory, of %d: more than one is held at a time", most, oneMemory)
				}
			})
		}
	}
}
