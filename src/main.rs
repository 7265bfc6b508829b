//! The program `parlour`.

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = parlour::config::Config::load(None, parlour::config::environment())?;
    let _log = parlour::observe::start(&config.log.level, config.log.format)?;
    Box::pin(parlour::server::run(config)).await?;
    Ok(())
}
