//! The figures in the text format of OpenMetrics, which Prometheus reads.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::session::figures::Figures;

/// What the text is.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Labels = Vec<(&'static str, String)>;

/// Every metric, with the values of `figures`.
///
/// # Errors
/// The encoder's.
pub(super) fn text(figures: &Figures) -> Result<String, std::fmt::Error> {
    let mut registry = Registry::with_prefix("sexton");
    let mut gauge = |name, help, value: i64| {
        let gauge: Gauge = Gauge::default();
        gauge.set(value);
        registry.register(name, help, gauge);
    };
    gauge("sessions", "Sessions that are open", figures.sessions.into());
    gauge("sessions_max", "listen.max_connections", figures.sessions_max.into());
    let connections: Counter = Counter::default();
    connections.inc_by(figures.connections);
    registry.register("connections", "Connections accepted", connections);
    let statements = Family::<Labels, Counter>::default();
    for database in &figures.databases {
        for (path, outcome, count) in database.plans.iter().flat_map(|plans| plans.tally.counts()) {
            let labels = vec![
                ("database", database.name.clone()),
                ("path", path.label().to_owned()),
                ("outcome", outcome.label().to_owned()),
            ];
            statements.get_or_create(&labels).inc_by(count);
        }
    }
    let help = "Query strings decided, by the path that knew them and by what became of them";
    registry.register("statements", help, statements);
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}
