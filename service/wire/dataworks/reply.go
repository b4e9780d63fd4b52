// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataworks

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// The formats of an answer.
const (
	formatJSON = "JSON"
	formatXML  = "XML"
)

// formatOf is the format that a request asks for: by the parameter Format, or else by the
// header Accept, or else JSON. "" where it asks for another one.
func formatOf(r *http.Request, params url.Values) string {
	format := params.Get("Format")
	if params == nil {
		format = r.URL.Query().Get("Format")
	}
	switch strings.ToUpper(format) {
	case formatXML:
		return formatXML
	case formatJSON:
		return formatJSON
	case "":
		accepted := r.Header.Get("Accept")
		if strings.Contains(accepted, "xml") && !strings.Contains(accepted, "json") {
			return formatXML
		}
		return formatJSON
	}
	return ""
}

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	name  string
	value any
}

// MarshalJSON writes the members in their order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		b.WriteString(strconv.Quote(m.name))
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// reply is how a call is answered.
type reply struct {
	id, host, action, format string
	shape                    shape
}

func (a reply) write(w http.ResponseWriter, result any, err error) {
	status, root, body := http.StatusOK, a.action+"Response", a.success(result)
	if err != nil {
		why := failureOf(err)
		if why.retryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(why.retryAfter.Seconds()))))
		}
		if why.refusal && a.shape == enveloped {
			body = a.refusal(why)
		} else {
			status, root, body = why.status, "Error", a.failure(why)
		}
	}
	data, _ := json.Marshal(body) // it is made of texts, numbers and flags
	contentType := "application/json"
	if a.format == formatXML {
		contentType, data = "application/xml", xmlOf(root, data)
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(data) // the client is gone where this fails
}

func (a reply) success(result any) object {
	if a.shape == bare {
		body, _ := result.(object)
		return append(object{{"RequestId", a.id}}, body...)
	}
	return object{{"HttpStatusCode", http.StatusOK}, {"Data", result}, {"RequestId", a.id}, {"Success", true}}
}

func (a reply) refusal(why *failure) object {
	return object{
		{"HttpStatusCode", why.status},
		{"ErrorMessage", why.message},
		{"RequestId", a.id},
		{"ErrorCode", why.code},
		{"Success", false},
	}
}

func (a reply) failure(why *failure) object {
	return object{{"RequestId", a.id}, {"HostId", a.host}, {"Code", why.code}, {"Message", why.message}, {"Recommend", recommendation}}
}

// xmlOf writes a JSON object as the vendor writes XML: a member is an element, and a list
// is its element repeated.
func xmlOf(root string, data []byte) []byte {
	b := bytes.NewBufferString(`<?xml version="1.0" encoding="UTF-8"?>`)
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	writeElement(b, d, root)
	return b.Bytes()
}

// writeElement writes the next value as an element.
func writeElement(b *bytes.Buffer, d *json.Decoder, name string) {
	token, err := d.Token()
	if err != nil {
		return // what is read was written as JSON just now
	}
	if token == json.Delim('[') {
		for d.More() {
			writeElement(b, d, name)
		}
		_, _ = d.Token()
		return
	}
	b.WriteString("<" + name + ">")
	switch v := token.(type) {
	case json.Delim:
		for d.More() {
			key, _ := d.Token()
			member, _ := key.(string)
			writeElement(b, d, member)
		}
		_, _ = d.Token()
	case string:
		_ = xml.EscapeText(b, []byte(strings.Map(inXML, v)))
	case json.Number:
		b.WriteString(v.String())
	case bool:
		b.WriteString(strconv.FormatBool(v))
	}
	b.WriteString("</" + name + ">")
}

// inXML replaces what no XML document can hold.
func inXML(r rune) rune {
	if unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' {
		return unicode.ReplacementChar
	}
	return r
}
