package pim

import (
	"strings"
	"time"
)

// placeName takes the parts of a name. Several values of one part (3.0 and later) are
// joined as they are read aloud.
func (k *cardReading) placeName(l *line) {
	parts := split(l.Value, ';')
	for i, to := range []*string{&k.c.Surname, &k.c.Given, &k.c.Middle, &k.c.Prefix, &k.c.Suffix} {
		if i >= len(parts) {
			break
		}
		between := " "
		if i == 4 {
			between = ", "
		}
		value := unescape(parts[i])
		if !k.old {
			value = strings.Join(nonEmpty(splitText(parts[i], ',')), between)
		}
		k.setText(to, value, l, "Name")
	}
	if len(parts) > 5 && strings.Trim(strings.Join(parts[5:], ""), " ,") != "" {
		k.noteLine(l, "Name")
	}
	if as := l.param("SORT-AS"); as != "" && k.c.FileAs == "" {
		k.c.FileAs = tidy(strings.Join(l.params("SORT-AS"), ", "))
	}
}

func (k *cardReading) placeOrganisation(l *line) {
	parts := nonEmpty(splitText(l.Value, ';'))
	if len(parts) == 0 {
		return
	}
	company, department := parts[0], strings.Join(parts[1:], "; ")
	if strings.HasPrefix(strings.TrimSpace(l.Value), ";") {
		company, department = "", strings.Join(parts, "; ")
	}
	if k.c.Company != "" || k.c.Department != "" {
		if company != k.c.Company || department != k.c.Department {
			k.noteLine(l, "Organisation")
		}
		return
	}
	k.c.Company, k.c.Department = company, department
}

func (k *cardReading) placeEmail(l *line) {
	address := tidy(l.text())
	if len(address) > 7 && strings.EqualFold(address[:7], "mailto:") {
		address = tidy(address[7:])
	}
	if address == "" {
		return
	}
	kinds, _ := k.kindOf(l)
	e := Email{Name: tidy(l.param("X-CN")), Label: strings.Join(nonEmpty(kinds), ", "), Type: tidy(l.param("X-ADDRESS-TYPE")), Address: address}
	for i := range k.c.Emails {
		if k.c.Emails[i].Address == "" {
			k.c.Emails[i] = e
			return
		}
	}
	k.noteLine(l, "E-mail")
}

// placePhone takes a number. Those without a type that has a place wait until all
// others are placed.
func (k *cardReading) placePhone(l *line, last bool) {
	number := tidy(l.text())
	if len(number) > 4 && strings.EqualFold(number[:4], "tel:") {
		number = tidy(strings.Replace(number[4:], ";ext=", " ext. ", 1))
	}
	if number == "" {
		return
	}
	kinds, custom := k.kindOf(l)
	if !last && !custom && len(kinds) == 0 {
		k.dialled = append(k.dialled, l)
		return
	}
	if !custom {
		for _, kind := range phonePlaces(kinds, preferred(l)) {
			if k.c.Phones[kind] == "" {
				k.c.setPhone(kind, number)
				return
			}
		}
	}
	k.noteLine(l, "Telephone")
}

// phonePlaces are the places for a number of these types, the best first.
func phonePlaces(types []string, pref bool) []PhoneKind {
	has := map[string]bool{}
	for _, t := range types {
		has[t] = true
	}
	for _, c := range []struct {
		types  []string
		places []PhoneKind
	}{
		{[]string{"fax", "work"}, []PhoneKind{FaxWork}}, {[]string{"fax", "home"}, []PhoneKind{FaxHome}}, {[]string{"fax"}, []PhoneKind{FaxPrimary}},
		{[]string{"pager"}, []PhoneKind{PhonePager}}, {[]string{"cell"}, []PhoneKind{PhoneMobile}}, {[]string{"car"}, []PhoneKind{PhoneCar}},
		{[]string{"isdn"}, []PhoneKind{PhoneISDN}}, {[]string{"radio"}, []PhoneKind{PhoneRadio}}, {[]string{"tlx"}, []PhoneKind{PhoneTelex}},
		{[]string{"telex"}, []PhoneKind{PhoneTelex}}, {[]string{"assistant"}, []PhoneKind{PhoneAssistant}}, {[]string{"callback"}, []PhoneKind{PhoneCallback}},
		{[]string{"company"}, []PhoneKind{PhoneCompany}}, {[]string{"main"}, []PhoneKind{PhoneCompany}}, {[]string{"ttytdd"}, []PhoneKind{PhoneText}},
		{[]string{"tty-tdd"}, []PhoneKind{PhoneText}}, {[]string{"textphone"}, []PhoneKind{PhoneText}},
		{[]string{"work"}, []PhoneKind{PhoneWork, PhoneWork2}}, {[]string{"home"}, []PhoneKind{PhoneHome, PhoneHome2}}, {[]string{"other"}, []PhoneKind{PhoneOther}},
	} {
		all := true
		for _, t := range c.types {
			all = all && has[t]
		}
		if all {
			return c.places
		}
	}
	switch {
	case len(types) > 0:
		return nil
	case pref:
		return []PhoneKind{PhonePrimary, PhoneOther}
	}
	return []PhoneKind{PhoneOther, PhonePrimary}
}

func (k *cardReading) placeURL(l *line, last bool) {
	value := tidy(l.text())
	kinds, custom := k.kindOf(l)
	to := []*string{&k.c.WorkPage, &k.c.HomePage}
	kind := strings.Join(kinds, " ")
	switch {
	case custom:
		k.noteLine(l, "Web page")
		return
	case kind == "work":
		to = to[:1]
	case kind == "home":
		to = to[1:]
	case kind == "ftp" || kind == "" && strings.HasPrefix(strings.ToLower(value), "ftp:"):
		to = []*string{&k.c.FTP}
	case !last:
		k.urls = append(k.urls, l)
		return
	}
	for _, t := range to {
		if *t == "" || *t == value {
			*t = value
			return
		}
	}
	k.noteLine(l, "Web page")
}

// placeRelated takes people that have a place: spouse, children, manager, assistant.
func (k *cardReading) placeRelated(l *line) {
	kind := strings.ToLower(strings.Join(cardTypes(l), " "))
	if label := k.labels[l.Group]; l.Group != "" && label != "" {
		kind = strings.ToLower(label)
	}
	value := tidy(l.text())
	uri := l.Name == "RELATED" && !l.has("VALUE", "text")
	switch {
	case value == "":
	case l.Name == "X-MS-CHILD" || kind == "child" && !uri:
		k.c.Children = append(k.c.Children, value)
	case kind == "spouse" && !uri:
		k.setText(&k.c.Spouse, value, l, "Spouse")
	case kind == "manager" && !uri:
		k.setText(&k.c.Manager, value, l, "Manager")
	case (kind == "assistant" || kind == "agent") && !uri:
		k.setText(&k.c.Assistant, value, l, "Assistant")
	case kind == "referred_by" && !uri:
		k.setText(&k.c.ReferredBy, value, l, "Referred by")
	default:
		k.noteLine(l, "Related")
	}
}

func (k *cardReading) placeGender(l *line) {
	sex, more, _ := strings.Cut(l.Value, ";")
	switch strings.ToLower(strings.TrimSpace(sex)) {
	case "m", "male":
		k.c.Gender = GenderMale
	case "f", "female":
		k.c.Gender = GenderFemale
	default:
		k.noteLine(l, "Gender")
		return
	}
	if strings.TrimSpace(more) != "" {
		k.noteLine(l, "Gender")
	}
}

func (k *cardReading) placeClass(l *line) {
	switch strings.TrimPrefix(upperTrim(l.Value), "X-") {
	case "PUBLIC", "":
	case "PERSONAL":
		k.c.Sensitivity = Personal
	case "PRIVATE":
		k.c.Sensitivity = Private
	case "CONFIDENTIAL":
		k.c.Sensitivity = Confidential
	default:
		k.noteLine(l, "Class")
	}
}

// placeCategories takes categories. A comma parts them also where it is escaped, as
// some writers have it: in Outlook it parts them in any case.
func (k *cardReading) placeCategories(l *line) {
	for _, s := range splitText(l.Value, ',') {
		k.c.Categories = append(k.c.Categories, listed(tidy(s))...)
	}
}

// placeMembers takes the members of a group: addresses, and cards that are known by
// their UID.
func (k *cardReading) placeMembers(known map[string]Member) {
	for _, l := range k.members {
		value := tidy(l.text())
		m := known[memberKey(value)]
		if len(value) > 7 && strings.EqualFold(value[:7], "mailto:") {
			address := tidy(value[7:])
			m = Member{Name: firstOf(tidy(l.param("X-CN")), address), Type: firstOf(tidy(l.param("X-ADDRESS-TYPE")), "SMTP"), Address: address}
		}
		if m.Address == "" {
			k.note("Member", firstOf(m.Name, value))
			continue
		}
		k.c.Members = append(k.c.Members, m)
	}
}

// setDate takes a day. Another one, a text that is none, and the time of day have no
// place.
func (k *cardReading) setDate(to *Date, l *line, title string) {
	value := strings.TrimSpace(l.Value)
	if value == "" {
		return
	}
	d, more, ok := cardDate(value)
	switch {
	case !ok || !d.valid() || !to.IsZero() && *to != d:
		k.noteLine(l, title)
	default:
		*to = d
		if strings.Trim(more, "T0:.Z+-") != "" {
			k.noteLine(l, title)
		}
	}
}

// cardDate reads a date: 19800322, 1980-03-22, --0322, each perhaps with a time
// behind it, which is given back.
func cardDate(s string) (d Date, more string, ok bool) {
	for _, layout := range []string{"2006-01-02", "20060102", "--0102", "--01-02"} {
		if len(s) < len(layout) {
			continue
		}
		head, rest := s[:len(layout)], s[len(layout):]
		if rest != "" && rest[0] != 'T' && rest[0] != ' ' {
			continue
		}
		// A day of no year may be 29 February: it is read in a leap year.
		if strings.HasPrefix(layout, "--") {
			head, layout = "1604"+head, "2006"+layout
		}
		if t, err := time.Parse(layout, head); err == nil {
			return dayOf(t), strings.TrimSpace(rest), true
		}
	}
	return Date{}, "", false
}

// cardTime reads a timestamp; what is none is the zero time.
func cardTime(s string) time.Time {
	s = strings.TrimSpace(s)
	for _, layout := range []string{"20060102T150405Z", "2006-01-02T15:04:05Z07:00", "20060102T150405Z0700", "20060102T150405", "2006-01-02T15:04:05", "2006-01-02", "20060102"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 1601 && t.Year() < 10000 {
			return t.UTC().Truncate(time.Second)
		}
	}
	return time.Time{}
}
