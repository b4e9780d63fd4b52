// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"golang.org/x/text/currency"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// asOf is the day whose currencies are written. It is fixed so that the same
// version of the tables always gives the same database.
var asOf = time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC)

// group is a region of the UN M49 standard that contains others.
type group struct {
	m49     int
	name    string
	regions []region // the countries in it, directly or through other groups
}

// region is a country or territory of ISO 3166-1.
type region struct {
	code, code3 string
	m49         int
	name        string
	continent   string
	subregion   string
}

// lang is a language of ISO 639 that has an English name.
type lang struct {
	code, code3 string
	name        string
	nativeName  string // "" where nobody told CLDR
	script      string // ISO 15924
}

// money is a currency of ISO 4217.
type money struct {
	code, symbol, narrowSymbol string
	digits                     int
}

// tender says that a currency is legal tender in a region.
type tender struct {
	region, currency string
	since            string // a date, "" where it always was
}

// spoken says that a language belongs to a region: it is the region's most likely
// language, or the region is the language's most likely home.
type spoken struct {
	region, language string
}

// world is everything that the database holds.
type world struct {
	groups     []group
	regions    []region
	languages  []lang
	currencies []money
	tenders    []tender
	spoken     []spoken
}

// The groups that are continents, and those one step below that statistics use.
// A country lies in one of each.
// Source: UN M49.
var (
	continents = []int{2, 9, 19, 142, 150}
	subregions = []int{15, 202, 419, 21, 143, 30, 35, 34, 145, 151, 154, 39, 155, 53, 54, 57, 61}
)

// newWorld collects the world from the tables of golang.org/x/text.
func newWorld() world {
	var w world
	for _, r := range language.Supported.Regions() {
		if isCountry(r) {
			w.regions = append(w.regions, newRegion(r))
		}
	}
	slices.SortFunc(w.regions, func(a, b region) int { return cmp.Compare(a.code, b.code) })
	for _, r := range language.Supported.Regions() {
		// QO is CLDR's own group of islands; M49 has none of it.
		if !r.IsGroup() || r.M49() >= 900 {
			continue
		}
		g := group{m49: r.M49(), name: display.English.Regions().Name(r)}
		for _, c := range w.regions {
			if r.Contains(language.MustParseRegion(c.code)) {
				g.regions = append(g.regions, c)
			}
		}
		w.groups = append(w.groups, g)
	}
	slices.SortFunc(w.groups, func(a, b group) int { return cmp.Compare(a.m49, b.m49) })
	w.addLanguages()
	w.addCurrencies()
	return w
}

// isCountry reports whether the region is in ISO 3166-1 today: it is its own
// successor, and its M49 code leads back to it, which is not so for codes that were
// withdrawn, reserved or private.
func isCountry(r language.Region) bool {
	if !r.IsCountry() || r.Canonicalize() != r || r.M49() == 0 || r.M49() >= 900 {
		return false
	}
	back, err := language.EncodeM49(r.M49())
	return err == nil && back == r && display.English.Regions().Name(r) != ""
}

func newRegion(r language.Region) region {
	return region{
		code: r.String(), code3: r.ISO3(), m49: r.M49(),
		name:      display.English.Regions().Name(r),
		continent: groupOf(r, continents), subregion: groupOf(r, subregions),
	}
}

// groupOf returns the English name of the first of these groups that contains the
// region, and "" where none does.
func groupOf(r language.Region, groups []int) string {
	for _, m49 := range groups {
		g, err := language.EncodeM49(m49)
		if err == nil && g.Contains(r) {
			return display.English.Regions().Name(g)
		}
	}
	return ""
}

func (w *world) addLanguages() {
	names := display.English.Languages()
	seen := map[string]bool{}
	pairs := map[spoken]bool{}
	countries := map[string]bool{}
	for _, r := range w.regions {
		countries[r.code] = true
	}
	for _, b := range language.Supported.BaseLanguages() {
		name := names.Name(b)
		tag := language.Make(b.String())
		if canonical, _ := (language.DeprecatedBase | language.Legacy | language.Macro).Make(b.String()).Base(); canonical != b {
			continue // an old or narrower code of a language that has a better one
		}
		if name == "" || b.IsPrivateUse() || seen[b.String()] {
			continue
		}
		seen[b.String()] = true
		l := lang{code: b.String(), code3: b.ISO3(), name: name, nativeName: display.Self.Name(tag)}
		if script, confidence := tag.Script(); confidence != language.No && script.String() != "Zzzz" {
			l.script = script.String()
		}
		w.languages = append(w.languages, l)
		if home, confidence := tag.Region(); confidence != language.No && countries[home.String()] {
			pairs[spoken{home.String(), l.code}] = true
		}
	}
	for _, r := range w.regions {
		tag, err := language.Compose(language.MustParseRegion(r.code))
		if err != nil {
			continue
		}
		if b, confidence := tag.Base(); confidence != language.No && seen[b.String()] {
			pairs[spoken{r.code, b.String()}] = true
		}
	}
	for p := range pairs {
		w.spoken = append(w.spoken, p)
	}
	slices.SortFunc(w.languages, func(a, b lang) int { return cmp.Compare(a.code, b.code) })
	slices.SortFunc(w.spoken, func(a, b spoken) int {
		return cmp.Or(cmp.Compare(a.region, b.region), cmp.Compare(a.language, b.language))
	})
}

func (w *world) addCurrencies() {
	countries := map[string]bool{}
	for _, r := range w.regions {
		countries[r.code] = true
	}
	seen := map[string]bool{}
	for i := currency.Query(currency.Date(asOf)); i.Next(); {
		if !countries[i.Region().String()] {
			continue
		}
		u := i.Unit()
		if !seen[u.String()] {
			seen[u.String()] = true
			digits, _ := currency.Standard.Rounding(u)
			w.currencies = append(w.currencies, money{
				code: u.String(), digits: digits,
				symbol: fmt.Sprint(currency.Symbol(u)), narrowSymbol: fmt.Sprint(currency.NarrowSymbol(u)),
			})
		}
		t := tender{region: i.Region().String(), currency: u.String()}
		if from, known := i.From(); known {
			t.since = from.Format(time.DateOnly)
		}
		w.tenders = append(w.tenders, t)
	}
	slices.SortFunc(w.currencies, func(a, b money) int { return cmp.Compare(a.code, b.code) })
	slices.SortFunc(w.tenders, func(a, b tender) int {
		return cmp.Or(cmp.Compare(a.region, b.region), cmp.Compare(a.currency, b.currency), cmp.Compare(a.since, b.since))
	})
}
