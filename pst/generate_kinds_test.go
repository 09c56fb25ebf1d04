package pst_test

import (
	"fmt"
	"iter"
	"strings"
)

// kinds are mails of all sorts, small enough for each run of the tests.
func kinds(seed uint64) iter.Seq[message] {
	return func(yield func(message) bool) {
		k := newMaker(seed)
		for _, make := range []func(*maker) []message{inScripts, atBoundaries, toMany, nestedMail, inlineMail, plainOdd} {
			for _, m := range make(k) {
				if !yield(m) {
					return
				}
			}
		}
	}
}

func inScripts(k *maker) []message {
	var all []message
	path := []string{"Scripts"}
	for _, s := range manyScripts {
		m := k.message("Scripts", s.text)
		m.Subject, m.HTML = s.text, "<html><body><p>"+s.text+"</p></body></html>"
		m.Attachments = []made{{Name: s.text + ".txt", Size: 64, Seed: uint64(k.n)}}
		all = append(all, m)
		if len(path) < 12 { // and deeper and deeper
			path = append(path[:len(path):len(path)], s.text)
			all = append(all, k.message(path...))
		}
	}
	return all
}

func atBoundaries(k *maker) []message {
	var all []message
	for _, size := range boundaries {
		m := k.message("Boundaries", "Attachments")
		m.Attachments = []made{k.attachment(size)}
		all = append(all, m)

		m = k.message("Boundaries", "Text") // two bytes a letter
		m.Text = k.text(int(size / 2))
		all = append(all, m)

		m = k.message("Boundaries", "HTML")
		m.Text, m.HTML = "", k.text(int(size))
		all = append(all, m)
	}
	m := k.message("Boundaries", "All of them in one")
	for _, size := range boundaries {
		m.Attachments = append(m.Attachments, k.attachment(size))
	}
	return append(all, m)
}

func toMany(k *maker) []message {
	var all []message
	for _, n := range []int{0, 1, 3, 500} {
		m := k.message("Recipients")
		m.Recipients = nil
		for i := range n {
			p := k.person()
			p.Address = fmt.Sprintf("r%d.%s", i, p.Address)
			m.Recipients = append(m.Recipients, seenRecipient{int64(1 + i*3/n), p})
		}
		all = append(all, m)
	}
	return all
}

func nestedMail(k *maker) []message {
	inner := k.message()
	inner.Attachments = []made{k.attachment(9000)}
	for range 4 {
		outer, within := k.message(), inner
		outer.Attachments = []made{{Name: embeddedName + within.Subject, Inner: &within}, k.attachment(100)}
		inner = outer
	}
	inner.Folder = []string{"Nested"}
	return []message{inner}
}

func inlineMail(k *maker) []message {
	m := k.message("Inline")
	a, b := k.attachment(5000), k.attachment(50)
	a.Name, a.CID = "logo.png", "logo@keepwatch.example"
	m.HTML = `<html><body><img src="cid:logo@keepwatch.example"></body></html>`
	m.Attachments = []made{a, b}
	return []message{m}
}

// plainOdd are subjects and bodies at the edge: none, long, with the mark of a prefix.
func plainOdd(k *maker) []message {
	var all []message
	add := func(change func(*message)) {
		m := k.message("Odd")
		change(&m)
		all = append(all, m)
	}
	add(func(m *message) { m.Subject = "" })
	add(func(m *message) { m.Subject = "Re: " + m.Subject })
	add(func(m *message) { m.Subject = strings.Repeat("ö", 255) })
	add(func(m *message) { m.Text, m.HTML = "", "" })
	add(func(m *message) { m.Recipients = nil })
	add(func(m *message) { m.Attachments = make([]made, 50); fillAttachments(k, m.Attachments) })
	return all
}

func fillAttachments(k *maker, all []made) {
	for i := range all {
		all[i] = k.attachment(int64(i * 97))
	}
}
