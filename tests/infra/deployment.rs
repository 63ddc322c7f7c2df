//! A template as Resource Manager would deploy it: parameters given, expressions evaluated, copies made,
//! conditions obeyed, nested templates followed.

use serde_json::{Map, Value, json};

use crate::expression::Expression;
use crate::functions;

/// A template with its parameters.
pub(crate) struct Deployment<'a> {
    template: &'a Value,
    parameters: Map<String, Value>,
}

/// Where in a copy an expression stands: the copy's name, and which one it is.
type Place<'a> = Option<(&'a str, usize)>;

impl<'a> Deployment<'a> {
    /// A deployment of `template`, as `az deployment group create` would take `parameters`.
    pub(crate) fn new(template: &'a Value, parameters: &Value) -> Result<Self, String> {
        let given = parameters.as_object().ok_or("parameters are an object")?;
        for (name, value) in given {
            let declared = &template["parameters"][name];
            check_parameter(declared, value).map_err(|why| format!("parameter {name}: {why}"))?;
        }
        let missing = template["parameters"].as_object().into_iter().flatten().find(|(name, declared)| {
            declared.get("defaultValue").is_none() && !given.contains_key(name.as_str())
        });
        match missing {
            Some((name, _)) => Err(format!("parameter {name} is missing")),
            None => Ok(Self { template, parameters: given.clone() }),
        }
    }

    /// Every resource that would be made, nested ones after what holds them; those of nested templates say
    /// under `#group` where they go.
    pub(crate) fn resources(&self) -> Result<Vec<Value>, String> {
        let declared = self.template["resources"].as_array().ok_or("no resources")?;
        let mut made = Vec::new();
        for resource in declared {
            made.extend(self.copies(resource)?);
        }
        Ok(made)
    }

    /// The value of an output.
    pub(crate) fn output(&self, name: &str) -> Result<Value, String> {
        self.value(&self.template["outputs"][name]["value"], None)
    }

    /// The value of a variable.
    pub(crate) fn variable(&self, name: &str) -> Result<Value, String> {
        let variables = &self.template["variables"];
        if let Some(value) = variables.get(name) {
            return self.value(value, None);
        }
        let copies = variables["copy"].as_array().into_iter().flatten();
        let copy = copies.into_iter().find(|copy| copy["name"] == name);
        let copy = copy.ok_or_else(|| format!("there is no variable {name}"))?;
        (0..self.count(copy, None)?).map(|index| self.value(&copy["input"], Some((name, index)))).collect()
    }

    fn copies(&self, resource: &Value) -> Result<Vec<Value>, String> {
        let Some(copy) = resource.get("copy") else { return self.deploy(resource, None) };
        let name = copy["name"].as_str().ok_or("a copy has a name")?;
        let copies = (0..self.count(copy, None)?).map(|index| self.deploy(resource, Some((name, index))));
        copies.collect::<Result<Vec<_>, _>>().map(|copies| copies.concat())
    }

    fn count(&self, copy: &Value, place: Place<'_>) -> Result<usize, String> {
        let count = self.value(&copy["count"], place)?;
        count.as_u64().and_then(|count| count.try_into().ok()).ok_or_else(|| format!("{count} copies"))
    }

    fn deploy(&self, resource: &Value, place: Place<'_>) -> Result<Vec<Value>, String> {
        let condition =
            resource.get("condition").map(|condition| self.value(condition, place)).transpose()?;
        if condition == Some(Value::Bool(false)) {
            return Ok(Vec::new());
        }
        if resource["type"] == "Microsoft.Resources/deployments" {
            return self.nested(resource, place);
        }
        let mut own = resource.clone();
        let children = own.as_object_mut().and_then(|own| own.remove("resources"));
        let own = self.value(&own, place)?;
        let mut made = vec![own.clone()];
        for child in children.as_ref().and_then(Value::as_array).into_iter().flatten() {
            let mut child = self.value(child, place)?;
            child["type"] = join(&own["type"], &child["type"]);
            child["name"] = join(&own["name"], &child["name"]);
            made.push(child);
        }
        Ok(made)
    }

    fn nested(&self, resource: &Value, place: Place<'_>) -> Result<Vec<Value>, String> {
        let given = resource["properties"]["parameters"].as_object().into_iter().flatten();
        let given: Result<Map<String, Value>, String> =
            given.map(|(name, value)| Ok((name.clone(), self.value(&value["value"], place)?))).collect();
        let inner = Deployment::new(&resource["properties"]["template"], &Value::Object(given?))?;
        let group = ["subscriptionId", "resourceGroup"].map(|part| resource.get(part));
        let group: Result<Vec<Value>, String> =
            group.into_iter().flatten().map(|part| self.value(part, place)).collect();
        let group = json!(group?);
        let name = self.value(&resource["name"], place)?;
        let mut made = inner.resources()?;
        for resource in &mut made {
            resource["#group"] = group.clone();
            resource["#deployment"] = name.clone();
        }
        Ok(made)
    }

    /// A part of the template with every expression in it evaluated, in names of members as well.
    pub(crate) fn value(&self, part: &Value, place: Place<'_>) -> Result<Value, String> {
        match part {
            Value::String(text) => self.evaluate(&Expression::parse(text)?, place),
            Value::Array(items) => items.iter().map(|item| self.value(item, place)).collect(),
            Value::Object(members) => {
                let mut evaluated = Map::new();
                for (name, value) in members {
                    let name = self.value(&json!(name), place)?;
                    let name = name.as_str().ok_or("a member's name is a text")?.to_owned();
                    evaluated.insert(name, self.value(value, place)?);
                }
                Ok(Value::Object(evaluated))
            }
            other => Ok(other.clone()),
        }
    }

    fn evaluate(&self, expression: &Expression, place: Place<'_>) -> Result<Value, String> {
        match expression {
            Expression::Text(text) => Ok(json!(text)),
            Expression::Number(number) => Ok(json!(number)),
            Expression::Member(of, name) => {
                let of = self.evaluate(of, place)?;
                of.get(name).cloned().ok_or_else(|| format!("{of} has no {name}"))
            }
            Expression::Index(of, index) => {
                let (of, index) = (self.evaluate(of, place)?, self.evaluate(index, place)?);
                let found = index.as_u64().and_then(|index| of.get(usize::try_from(index).ok()?));
                found.cloned().ok_or_else(|| format!("{of} has no {index}"))
            }
            Expression::Call(name, arguments) => self.call(name, arguments, place),
        }
    }

    fn call(&self, name: &str, arguments: &[Expression], place: Place<'_>) -> Result<Value, String> {
        match (name, arguments) {
            ("parameters", [Expression::Text(name)]) => self.parameter(name),
            ("variables", [Expression::Text(name)]) => self.variable(name),
            // The branch that does not count is not looked at.
            ("if", [condition, yes, no]) => {
                let holds = self.evaluate(condition, place)? == Value::Bool(true);
                self.evaluate(if holds { yes } else { no }, place)
            }
            ("createObject", _) => self.object(arguments, place),
            ("copyIndex", _) => copy_index(arguments, place),
            _ => {
                let arguments: Result<Vec<Value>, String> =
                    arguments.iter().map(|argument| self.evaluate(argument, place)).collect();
                functions::call(name, &arguments?)
            }
        }
    }

    fn parameter(&self, name: &str) -> Result<Value, String> {
        match self.parameters.get(name) {
            Some(value) => Ok(value.clone()),
            None => {
                let declared = self.template["parameters"].get(name);
                let declared = declared.ok_or_else(|| format!("there is no parameter {name}"))?;
                self.value(&declared["defaultValue"], None)
            }
        }
    }

    fn object(&self, pairs: &[Expression], place: Place<'_>) -> Result<Value, String> {
        let mut members = Map::new();
        for pair in pairs.chunks(2) {
            let [name, value] = pair else { return Err("createObject takes pairs".to_owned()) };
            let name = self.evaluate(name, place)?;
            let name = name.as_str().ok_or("a member's name is a text")?.to_owned();
            members.insert(name, self.evaluate(value, place)?);
        }
        Ok(Value::Object(members))
    }
}

fn join(parent: &Value, child: &Value) -> Value {
    format!("{}/{}", parent.as_str().unwrap(), child.as_str().unwrap()).into()
}

/// `copyIndex()`, `copyIndex('name')`, `copyIndex('name', 1)`.
fn copy_index(arguments: &[Expression], place: Place<'_>) -> Result<Value, String> {
    let (copy, index) = place.ok_or("copyIndex outside a copy")?;
    let (named, from) = match arguments {
        [] => (None, 0),
        [Expression::Text(name)] => (Some(name), 0),
        [Expression::Text(name), Expression::Number(from)] => (Some(name), *from),
        other => return Err(format!("copyIndex takes no {other:?}")),
    };
    match named.filter(|name| *name != copy) {
        Some(other) => Err(format!("copyIndex of {other} in the copy {copy}")),
        None => Ok((i64::try_from(index).unwrap() + from).into()),
    }
}

/// What Resource Manager refuses before it deploys anything.
fn check_parameter(declared: &Value, value: &Value) -> Result<(), String> {
    let of_type = match declared["type"].as_str().map(str::to_lowercase).as_deref() {
        Some("string" | "securestring") => value.is_string(),
        Some("int") => value.is_i64() || value.is_u64(),
        Some("bool") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object" | "secureobject") => value.is_object(),
        _ => return Err("is not declared".to_owned()),
    };
    if !of_type {
        return Err(format!("{value} is no {}", declared["type"]));
    }
    let length = value.as_str().map(str::len).or_else(|| value.as_array().map(Vec::len));
    let length = length.map_or(0, |length| length as u64);
    let number = value.as_u64().unwrap_or_default();
    let limits = [("minLength", length), ("minValue", number)].map(|(name, size)| (name, size, true));
    let most = [("maxLength", length), ("maxValue", number)].map(|(name, size)| (name, size, false));
    for (name, size, at_least) in limits.into_iter().chain(most) {
        let Some(limit) = declared[name].as_u64() else { continue };
        if size != limit && (size > limit) != at_least {
            return Err(format!("{value} exceeds {name} {limit}"));
        }
    }
    match declared["allowedValues"].as_array() {
        Some(allowed) if !allowed.contains(value) => Err(format!("{value} is not allowed")),
        _ => Ok(()),
    }
}
