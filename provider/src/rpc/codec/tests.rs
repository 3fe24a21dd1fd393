use proptest::prelude::*;
use prost_types::value::Kind;
use prost_types::{Struct, Value as Wire};

use super::*;

fn object(depth: u32) -> impl Strategy<Value = Object> {
    proptest::collection::btree_map("[a-zA-Z_$\\.]{0,8}", value(depth), 0..4)
}

fn value(depth: u32) -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<f64>().prop_filter("equal to itself", |number| !number.is_nan()).prop_map(Value::Number),
        any::<String>().prop_map(Value::String),
        proptest::sample::select(UNKNOWNS.map(|(kind, _)| kind).to_vec()).prop_map(Value::Unknown),
        proptest::collection::vec(any::<u8>(), 0..20).prop_map(Value::Bytes),
    ];
    if depth == 0 {
        return leaf.boxed();
    }
    let urns = proptest::collection::vec("urn:[a-z:]{0,9}", 0..3);
    prop_oneof![
        4 => leaf,
        1 => proptest::collection::vec(value(depth - 1), 0..4).prop_map(Value::Array),
        1 => object(depth - 1).prop_map(Value::Object),
        1 => value(depth - 1).prop_map(|value| Value::Secret(Box::new(value))),
        1 => (proptest::option::of(value(depth - 1)), any::<bool>(), urns).prop_map(|(value, secret, dependencies)| {
            Value::Output(Output { value: value.map(Box::new), secret, dependencies })
        }),
        1 => object(depth - 1).prop_map(|mut object| {
            object.insert("urn".to_owned(), Value::from("urn:pulumi:a::b::c::d"));
            Value::Resource(object)
        }),
        1 => object(depth - 1).prop_map(Value::Asset),
        1 => object(depth - 1).prop_map(Value::Archive),
    ]
    .boxed()
}

proptest! {
    #[test]
    fn what_is_written_reads_back(object in object(3)) {
        prop_assert_eq!(decode(Some(encode(object.clone()))).expect("well formed"), object);
    }

    #[test]
    fn printing_never_shows_a_secret(text in "[a-z]{12}") {
        let secret = Value::Array(vec![
            Value::from(text.as_str()).into_secret(),
            Value::Output(Output {
                value: Some(Box::new(Value::from(text.as_str()))),
                secret: true,
                dependencies: Vec::new(),
            }),
        ]);
        let printed = format!("{secret:?}");
        prop_assert!(!printed.contains(&text));
    }
}

fn text(text: &str) -> Wire {
    Wire { kind: Some(Kind::StringValue(text.to_owned())) }
}

fn fields<const N: usize>(fields: [(&str, Wire); N]) -> Wire {
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Wire { kind: Some(Kind::StructValue(Struct { fields })) }
}

#[test]
fn a_malformed_value_is_named() {
    for (value, reason) in [
        (Wire { kind: None }, "it has no kind"),
        (fields([(SIGNATURE, text(SECRET))]), "a secret has no `value`"),
        (fields([(SIGNATURE, text("nonsense"))]), "its signature is unknown"),
        (fields([(SIGNATURE, Wire { kind: Some(Kind::BoolValue(true)) })]), "its signature is not a string"),
        (fields([(SIGNATURE, text(RESOURCE))]), "a resource reference has no `urn`"),
        (fields([(SIGNATURE, text(BYTES))]), "a byte string has no `value`"),
        (fields([(SIGNATURE, text(BYTES)), ("value", text("&"))]), "a byte string's `value` is not base64"),
        (fields([(SIGNATURE, text(OUTPUT)), ("secret", text("yes"))]), "an output's `secret` is not a boolean"),
        (
            fields([(SIGNATURE, text(OUTPUT)), ("dependencies", text("urn"))]),
            "an output's `dependencies` is not a list",
        ),
    ] {
        let Some(Kind::StructValue(wire)) = fields([("outer", fields([("inner", value)]))]).kind else {
            unreachable!()
        };
        let error = decode(Some(wire)).expect_err(reason);
        assert_eq!(error.to_string(), format!("malformed value at `outer.inner`: {reason}"));
    }
}

#[test]
fn a_missing_struct_has_no_properties_and_null_is_a_property() {
    assert_eq!(decode(None), Ok(Object::new()));
    let wire = Struct { fields: [("a".to_owned(), Wire { kind: Some(Kind::NullValue(0)) })].into() };
    assert_eq!(decode(Some(wire)), Ok(Object::from([("a".to_owned(), Value::Null)])));
}
