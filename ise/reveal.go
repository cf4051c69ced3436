package ise

import (
	"errors"
	"reflect"
)

// opened returns a copy of v whose secrets go into its JSON in clear, for a request, and the texts of these secrets.
func opened(v any) (any, []string, error) {
	var o opener
	copied := reflect.New(reflect.TypeOf(v)).Elem()
	copied.Set(reflect.ValueOf(v))
	o.open(copied)
	if o.masked {
		return nil, nil, errors.New(`a secret is "***", as it is printed: leave it empty to keep what ISE has, or set it`)
	}
	return copied.Interface(), o.secrets, nil
}

type opener struct {
	secrets []string
	masked  bool
}

// open goes through what can hold a secret, and makes copies on its way: what the caller has stays closed.
func (o *opener) open(v reflect.Value) {
	switch x := v.Addr().Interface().(type) {
	case *Secret:
		x.open = true
		o.note(x.Reveal())
		return
	case *Link:
		*x = Link{} // it is ISE's to say
		return
	case *Object:
		x.open = true
		for _, text := range x.secrets() {
			o.note(text)
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			copied := reflect.New(v.Type().Elem())
			copied.Elem().Set(v.Elem())
			o.open(copied.Elem())
			v.Set(copied)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Struct {
			copied := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
			reflect.Copy(copied, v)
			for i := range copied.Len() {
				o.open(copied.Index(i))
			}
			v.Set(copied)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				o.open(v.Field(i))
			}
		}
	}
}

func (o *opener) note(secret string) {
	o.masked = o.masked || secret == masked
	if secret != "" {
		o.secrets = append(o.secrets, secret)
	}
}
