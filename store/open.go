package store

import (
	"net/url"
	"slices"
	"strings"

	"keepwatch"
)

// OpenAfter gives the occurrences that are not settled behind one, what was due first
// first, at most limit where it is above 0. "" is before all.
func (r *Records) OpenAfter(id string, limit int) ([]keepwatch.Occurrence, error) {
	in := Range{Prefix: openOccurrences}
	if id != "" {
		after, err := r.Occurrence(id)
		if err != nil {
			return nil, err
		}
		in.From = timeKey(openOccurrences, after.At) + "/" + id + "\x00"
	}
	return r.listed(in, openOccurrences, limit)
}

// NewestOpen gives the occurrences that are not settled, what was due last first, at
// most limit.
func (r *Records) NewestOpen(limit int) ([]keepwatch.Occurrence, error) {
	return r.listed(Range{Prefix: openOccurrences, Reverse: true}, openOccurrences, limit)
}

// OpenOf gives the occurrences of some rules that are not settled, what was due first
// first. It goes over the list of all that are open and reads no others' records.
func (r *Records) OpenOf(rules ...string) (list []keepwatch.Occurrence, err error) {
	err = r.store.View(func(rd Reader) error {
		return rd.Scan(Range{Prefix: openOccurrences}, func(key string, _ []byte) error {
			_, id, _ := strings.Cut(key[len(openOccurrences):], "/")
			if rule, _, _ := keepwatch.SplitOccurrence(id); !slices.Contains(rules, rule) {
				return nil
			}
			o, found, err := occurrence(rd, id)
			if err == nil && found {
				list = append(list, o)
			}
			return err
		})
	})
	return list, err
}

// CountOpen gives how many occurrences are not settled. It reads none of them.
func (r *Records) CountOpen() (n int64, err error) {
	err = r.store.View(func(rd Reader) error {
		return rd.Scan(Range{Prefix: openOccurrences}, func(string, []byte) error { n++; return nil })
	})
	return n, err
}

// OpenAsking gives the occurrences that ask for something and are not settled.
func (r *Records) OpenAsking(ask string) ([]keepwatch.Occurrence, error) {
	prefix := asked + url.PathEscape(ask)
	return r.listed(Range{Prefix: prefix + "/"}, prefix, 0)
}

// DigestOccurrences gives those that stand in a digest, oldest first; none where there
// is no such digest.
func (r *Records) DigestOccurrences(id string) (list []keepwatch.Occurrence, err error) {
	err = r.store.View(func(rd Reader) error {
		var d keepwatch.Digest
		if _, err := get(rd, digestKey(id), &d); err != nil {
			return err
		}
		for _, id := range d.Occurrences {
			o, found, err := occurrence(rd, id)
			if err != nil {
				return err
			}
			if found {
				list = append(list, o)
			}
		}
		return nil
	})
	return list, err
}
