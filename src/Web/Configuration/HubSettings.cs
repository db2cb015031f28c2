namespace FailoverHub.Web.Configuration;

/// <summary>Settings as text, before anything is believed. Null: not given.</summary>
internal sealed record HubSettings(string? Urls = null, string? AgentUrl = null, string? Data = null, string? Probe = null)
{
    public const string UrlsKey = "--urls (FAILOVERHUB_URLS)";
    public const string AgentUrlKey = "--agent-url (FAILOVERHUB_AGENT_URL)";
    public const string DataKey = "--data (FAILOVERHUB_DATA)";
    public const string ProbeKey = "--probe (FAILOVERHUB_PROBE)";

    /// <summary>The command line first, then the environment, then the section FailoverHub of appsettings.json.</summary>
    public static HubSettings Layer(HubSettings commandLine, Func<string, string?> environment, IConfiguration file)
    {
        string? Pick(string? given, string variable, string key) => given ?? environment(variable) ?? file[$"FailoverHub:{key}"];
        return new HubSettings(
            Pick(commandLine.Urls, "FAILOVERHUB_URLS", nameof(Urls)),
            Pick(commandLine.AgentUrl, "FAILOVERHUB_AGENT_URL", nameof(AgentUrl)),
            Pick(commandLine.Data, "FAILOVERHUB_DATA", nameof(Data)),
            Pick(commandLine.Probe, "FAILOVERHUB_PROBE", nameof(Probe)));
    }

    /// <summary>The file beside the executable, where a package puts it; it may be absent.</summary>
    public static IConfiguration ReadFile() =>
        new ConfigurationBuilder().SetBasePath(AppContext.BaseDirectory).AddJsonFile("appsettings.json", optional: true).Build();
}
