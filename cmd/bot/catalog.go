package main

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"keepwatch"
)

// adHoc keeps the sources that were made from paths given in the terminal.
type adHoc interface {
	SaveSource(s keepwatch.Source) error
	DeleteSource(name string) error
	AdHocSources() ([]keepwatch.Source, error)
	OpenRuns() ([]keepwatch.Run, error)
	Archives(source string) ([]keepwatch.Archive, error)
}

// catalog is every source that there is: those of the YAML, then those that
// were made from a path in the terminal. A name belongs to one path for ever.
type catalog struct {
	configured []keepwatch.Source
	kept       adHoc
	home       string                  // the user's home folder, for "~"
	check      func(path string) error // says why a path can be no source

	mu sync.Mutex // one AddPath at a time, so that two cannot take one name
}

// Sources gives all of them, the configured ones first. One that was made from
// a path is hidden by a configured one of the same name.
func (c *catalog) Sources() ([]keepwatch.Source, error) {
	all := slices.Clone(c.configured)
	more, err := c.kept.AdHocSources()
	if err != nil {
		return nil, err
	}
	for _, s := range more {
		if !slices.ContainsFunc(c.configured, func(t keepwatch.Source) bool { return t.Name == s.Name }) {
			all = append(all, s)
		}
	}
	return all, nil
}

// Source gives the one of that name, or a KindNotFound error.
func (c *catalog) Source(name string) (keepwatch.Source, error) {
	all, err := c.Sources()
	if err != nil {
		return keepwatch.Source{}, err
	}
	for _, s := range append(all, dossier()) {
		if s.Name == name {
			return s, nil
		}
	}
	return keepwatch.Source{}, keepwatch.Errorf(keepwatch.KindNotFound,
		"There is no source named %q. `/backup sources` lists those that there are.", name)
}

// AddPath gives the source of a folder or file on this machine, and makes one
// where there is none: named after the last part of the path, with a number
// where that name belongs to another path.
func (c *catalog) AddPath(path string) (keepwatch.Source, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	abs, err := c.resolve(path)
	if err != nil {
		return keepwatch.Source{}, err
	}
	all, err := c.Sources()
	if err != nil {
		return keepwatch.Source{}, err
	}
	for _, s := range all {
		if s.Kind == keepwatch.KindFiles && s.Path == abs && !s.Drop {
			return s, nil
		}
	}
	if err := c.check(abs); err != nil { // it would stay on the list, and never have an archive
		return keepwatch.Source{}, err
	}
	taken, err := c.kept.Archives("") // a name that has archives belongs to what they are of
	if err != nil {
		return keepwatch.Source{}, err
	}
	s := keepwatch.Source{Name: nameOf(all, taken, abs), Kind: keepwatch.KindFiles, Path: abs, AdHoc: true}
	if err := c.kept.SaveSource(s); err != nil {
		return keepwatch.Source{}, err
	}
	return s, nil
}

// Forget takes a source that was made from a path off the list. Its archives stay
// as they are, and belong to it again should the path be backed up once more.
func (c *catalog) Forget(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.Source(name)
	if err != nil {
		return err
	}
	if !s.AdHoc {
		return keepwatch.Errorf(keepwatch.KindConflict, "%s stands in keepwatch.yaml. Take it out there.", name)
	}
	open, err := c.kept.OpenRuns()
	if err != nil {
		return err
	}
	for _, r := range open {
		if r.Source == name && r.Kind == keepwatch.RunBackup {
			return keepwatch.Errorf(keepwatch.KindConflict, "Run %d, a backup of %s, is not over. Let it end, or cancel it first.", r.ID, name)
		}
	}
	return c.kept.DeleteSource(name)
}

// nameOf gives a path the name that its archives have, where it was forgotten, or
// a free one.
func nameOf(all []keepwatch.Source, archives []keepwatch.Archive, abs string) string {
	for _, a := range archives {
		known := slices.ContainsFunc(all, func(s keepwatch.Source) bool { return s.Name == a.Source })
		if a.Kind == keepwatch.KindFiles && a.Path == abs && !known {
			return a.Source
		}
	}
	return freeName(all, archives, keepwatch.NameFrom(filepath.Base(abs)))
}

// resolve makes path absolute and sees that something is there.
func (c *catalog) resolve(path string) (string, error) {
	if path == "~" || strings.HasPrefix(path, "~/") {
		path = filepath.Join(c.home, path[1:])
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", keepwatch.Errorf(keepwatch.KindInvalid, "The path %q cannot be made absolute, because the current folder is gone. Give the whole path.", path).Because(err)
	}
	switch _, err := os.Stat(abs); {
	case os.IsNotExist(err):
		return "", keepwatch.Errorf(keepwatch.KindNotFound, "There is nothing at %s. Check the spelling; a path with a space in it goes into quotes.", abs).Because(err)
	case err != nil:
		return "", keepwatch.Errorf(keepwatch.KindInvalid, "%s cannot be looked at: %v.", abs, err).Because(err)
	}
	return abs, nil
}

// adopt makes the source of an archive that the state did not know, where it was
// made from a path: otherwise another path could take its name, and retention
// would weigh the archives of both against each other.
func (c *catalog) adopt(a keepwatch.Archive) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	all, err := c.Sources()
	if err != nil || a.Path == "" || a.Kind != keepwatch.KindFiles || slices.ContainsFunc(all, func(s keepwatch.Source) bool { return s.Name == a.Source }) {
		return err
	}
	return c.kept.SaveSource(keepwatch.Source{Name: a.Source, Kind: a.Kind, Path: a.Path, AdHoc: true})
}

// freeName gives base, or base with the first number from 2 that no source and
// no archive has.
func freeName(all []keepwatch.Source, archives []keepwatch.Archive, base string) string {
	taken := func(name string) bool {
		return slices.ContainsFunc(all, func(s keepwatch.Source) bool { return s.Name == name }) ||
			slices.ContainsFunc(archives, func(a keepwatch.Archive) bool { return a.Source == name })
	}
	name := base
	for n := 2; taken(name); n++ {
		name = base + "-" + strconv.Itoa(n)
	}
	return name
}

// dossier is the source that is in no list: it is sealed by a command of its own. A
// configured source of that name hides it.
func dossier() keepwatch.Source {
	return keepwatch.Source{Name: keepwatch.DossierSource, Kind: keepwatch.KindDossier}
}
