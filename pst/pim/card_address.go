package pim

import "strings"

// addressPlace is where an address of these types goes.
func (k *cardReading) addressPlace(l *line) Place {
	kinds, custom := k.kindOf(l)
	if custom {
		return NoPlace
	}
	for _, t := range kinds {
		switch t {
		case "work":
			return PlaceWork
		case "home":
			return PlaceHome
		}
	}
	if len(kinds) == 0 || kinds[0] == "other" {
		return PlaceOther
	}
	return NoPlace
}

// placeAddress takes a postal address. Its second part, the extended address, is the
// office where Outlook wrote it, and the first line of the street elsewhere.
func (k *cardReading) placeAddress(l *line) {
	part := split(l.Value, ';')
	for i := range part {
		text := unescape(part[i])
		if !k.old {
			text = strings.Join(nonEmpty(splitText(part[i], ',')), ", ")
		}
		part[i] = tidy(text)
	}
	for len(part) < 7 {
		part = append(part, "")
	}
	country, whole := part[6:], ""
	if len(part) == 8 && strings.Contains(part[7], "\n") { // Google: the address as a whole
		country, whole = part[6:7], part[7]
	}
	a := Address{Box: part[0], Street: part[2], City: part[3], State: part[4], PostalCode: part[5], Country: joined(", ", country...),
		Code: tidy(l.param("CC")), Label: firstOf(tidy(l.param("LABEL")), whole)}
	p := k.addressPlace(l)
	if p == PlaceWork && k.office && part[1] != "" && (k.c.Office == "" || k.c.Office == part[1]) {
		k.c.Office = part[1]
	} else {
		a.Street = joined("\n", part[1], a.Street)
	}
	if a.isEmpty() {
		return
	}
	to := k.c.place(p)
	if to == nil || !to.isEmpty() && to.bare() != (Address{}) {
		k.noteLine(l, "Address")
		return
	}
	a.Label = firstOf(a.Label, to.Label)
	*to = a
	if preferred(l) && k.c.Mailing == NoPlace {
		k.c.Mailing = p
	}
}

// bare is the address without its label.
func (a Address) bare() Address {
	a.Label = ""
	return a
}

func (k *cardReading) placeLabel(l *line) {
	value := tidy(l.text())
	if value == "" {
		return
	}
	p := k.addressPlace(l)
	to := k.c.place(p)
	if to == nil || to.Label != "" {
		k.noteLine(l, "Address")
		return
	}
	to.Label = value
	if preferred(l) && k.c.Mailing == NoPlace {
		k.c.Mailing = p
	}
}
