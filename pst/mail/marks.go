package mail

import (
	"slices"
	"strings"
	"time"

	"keepwatch/pst"
)

// sentTime is when the mail was sent, as it says; zero where it does not.
func (m *importer) sentTime() time.Time {
	for _, v := range m.head.all("date") {
		if t, ok := parseDate(v); ok {
			return t
		}
	}
	return time.Time{}
}

// received is when it came: what the server knows, or the first Received header
// (which the last server on its way wrote), or when it was sent.
func (m *importer) received() time.Time {
	if !m.o.Received.IsZero() {
		return m.o.Received.UTC()
	}
	for _, v := range m.head.all("received") {
		if i := strings.LastIndexByte(v, ';'); i >= 0 {
			if t, ok := parseDate(v[i+1:]); ok {
				return t
			}
		}
	}
	return m.sent
}

func (m *importer) times() {
	if !m.sent.IsZero() {
		m.sink.Set(pst.P(pst.PidTagClientSubmitTime, m.sent))
	} else if v := m.head.get("date"); v != "" {
		m.notes.add("the date cannot be read")
	}
	if t := m.received(); !t.IsZero() {
		m.sink.Set(pst.P(pst.PidTagMessageDeliveryTime, t))
	}
	if !m.o.Created.IsZero() {
		m.sink.Set(pst.P(pst.PidTagCreationTime, m.o.Created.UTC()))
	}
	if !m.o.Modified.IsZero() {
		m.sink.Set(pst.P(pst.PidTagLastModificationTime, m.o.Modified.UTC()))
	}
}

// marks sets flags, importance, ids and categories.
func (m *importer) marks() {
	flags := int32(pst.FlagUnmodified)
	if m.o.Read {
		flags |= pst.FlagRead
	}
	if m.o.Draft {
		flags |= pst.FlagUnsent
	}
	importance := importance(m.head)
	m.sink.Set(pst.P(pst.PidTagMessageFlags, flags), pst.P(pst.PidTagImportance, importance), pst.P(pst.PidTagPriority, priority(m.head, importance)),
		pst.P(pst.PidTagSensitivity, sensitivity(m.head.get("sensitivity"))))
	for _, k := range []struct {
		name string
		tag  pst.Tag
	}{{"message-id", pst.PidTagInternetMessageId}, {"in-reply-to", pst.PidTagInReplyToId}, {"references", pst.PidTagInternetReferences}} {
		if v := clean(readText(m.head.get(k.name))); v != "" {
			m.sink.Set(pst.P(k.tag, clip(v, 60_000)))
		}
	}
	if m.head.get("disposition-notification-to") != "" {
		m.sink.Set(pst.P(pst.PidTagReadReceiptRequested, true))
	}
	if m.head.get("return-receipt-to") != "" {
		m.sink.Set(pst.P(pst.PidTagOriginatorDeliveryReportRequested, true))
	}
	if all := m.categories(); len(all) > 0 {
		m.sink.Set(pst.P(pst.PidNameKeywords, all))
	}
	switch m.o.Flag {
	case Flagged:
		m.sink.Set(pst.P(pst.PidTagFlagStatus, int32(Flagged)), pst.P(pst.PidTagFollowupIcon, int32(6)), pst.P(pst.PidLidFlagRequest, "Follow up"))
	case FlagDone:
		m.sink.Set(pst.P(pst.PidTagFlagStatus, int32(FlagDone)))
	}
	if m.o.LastVerb != 0 {
		m.sink.Set(pst.P(pst.PidTagLastVerbExecuted, m.o.LastVerb))
	}
	switch m.o.LastVerb { // the arrow in the list, PidTagIconIndex Canonical Property, Microsoft Learn
	case 102, 103:
		m.sink.Set(pst.P(pst.PidTagIconIndex, int32(0x105)))
	case 104:
		m.sink.Set(pst.P(pst.PidTagIconIndex, int32(0x106)))
	}
}

// importance reads the headers of [MS-OXCMAIL] 2.2.3.2.4 in their order: Importance,
// X-Priority, X-MSMail-Priority and Priority.
func importance(h *header) int32 {
	for _, name := range []string{"importance", "x-priority", "x-msmail-priority", "priority"} {
		v := strings.ToLower(firstWord(h.get(name)))
		switch {
		case v == "":
			continue
		case v == "high", v == "urgent", strings.HasPrefix(v, "1"), strings.HasPrefix(v, "2"):
			return 2
		case v == "low", v == "non-urgent", strings.HasPrefix(v, "4"), strings.HasPrefix(v, "5"):
			return 0
		}
		return 1
	}
	return 1
}

func priority(h *header, importance int32) int32 {
	switch strings.ToLower(firstWord(h.get("priority"))) {
	case "urgent":
		return 1
	case "non-urgent":
		return -1
	case "normal":
		return 0
	}
	return importance - 1
}

// sensitivity reads the header of RFC 4021 2.1.55.
func sensitivity(v string) int32 {
	switch strings.ToLower(firstWord(v)) {
	case "personal":
		return 1
	case "private":
		return 2
	case "company-confidential", "confidential":
		return 3
	}
	return 0
}

// maxCategories is a bound for mails that were made to hurt.
const maxCategories = 200

func (m *importer) categories() []string {
	all := slices.Clone(m.o.Categories)
	for _, v := range m.head.all("keywords") {
		all = append(all, strings.Split(words(v), ",")...)
	}
	var out []string
	seen := map[string]bool{}
	for _, c := range all {
		c = clip16(clean(readText(c)), 255)
		if c == "" || seen[strings.ToLower(c)] || len(out) == maxCategories {
			continue
		}
		seen[strings.ToLower(c)] = true
		out = append(out, c)
	}
	return out
}
