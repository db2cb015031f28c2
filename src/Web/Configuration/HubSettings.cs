using FailoverHub.Web.Access.Provider;

namespace FailoverHub.Web.Configuration;

/// <summary>Settings as text, before anything is believed. Null: not given.</summary>
internal sealed record HubSettings(string? Urls = null, string? AgentUrl = null, string? Data = null, string? Probe = null, string? Database = null, string? DatabasePasswordFile = null, ProviderSettings? Provider = null)
{
    /// <summary>Names and addresses by which agents reach the hub, separated by commas.</summary>
    public string? AgentNames { get; init; }

    /// <summary>PEM file of the operator's own certificate for the agents' endpoint.</summary>
    public string? AgentCertificate { get; init; }

    /// <summary>PEM file of its key.</summary>
    public string? AgentKey { get; init; }

    /// <summary>SR-06: how often a pair may be moved within a minute.</summary>
    public string? Cooldown { get; init; }

    /// <summary>Where spans are sent, by OTLP.</summary>
    public string? TraceEndpoint { get; init; }

    public const string TraceEndpointKey = "FAILOVERHUB_OTLP_ENDPOINT";
    public const string StandardTraceEndpointKey = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>Life of the nodes' certificates, in hours.</summary>
    public string? CertificateHours { get; init; }

    /// <summary>How many nodes ask each target beside the hub.</summary>
    public string? VantagePoints { get; init; }

    /// <summary>SR-11: whom a second person is asked about.</summary>
    public string? TwoPerson { get; init; }

    /// <summary>Addresses and networks of reverse proxies, separated by commas.</summary>
    public string? TrustedProxies { get; init; }

    /// <summary>Where people reach the dashboard, for links in messages.</summary>
    public string? PublicUrl { get; init; }

    public const string PublicUrlKey = "--public-url (FAILOVERHUB_PUBLIC_URL)";
    public const string TrustedProxiesKey = "--trusted-proxy (FAILOVERHUB_TRUSTED_PROXIES)";
    public const string TwoPersonKey = "FAILOVERHUB_TWO_PERSON";
    public const string CooldownKey = "FAILOVERHUB_COOLDOWN";
    public const string CertificateHoursKey = "FAILOVERHUB_CERTIFICATE_HOURS";
    public const string AgentNamesKey = "--agent-names (FAILOVERHUB_AGENT_NAMES)";
    public const string AgentCertificateKey = "--agent-certificate (FAILOVERHUB_AGENT_CERTIFICATE)";
    public const string AgentKeyKey = "--agent-key (FAILOVERHUB_AGENT_KEY)";

    public const string UrlsKey = "--urls (FAILOVERHUB_URLS)";
    public const string AgentUrlKey = "--agent-url (FAILOVERHUB_AGENT_URL)";
    public const string DataKey = "--data (FAILOVERHUB_DATA)";
    public const string VantagePointsKey = "--vantage-points (FAILOVERHUB_VANTAGE_POINTS)";
    public const string ProbeKey = "--probe (FAILOVERHUB_PROBE)";

    public const string DatabaseKey = "--database (FAILOVERHUB_DATABASE)";

    /// <summary>The command line first, then the environment, then the section FailoverHub of appsettings.json.</summary>
    public static HubSettings Layer(HubSettings commandLine, Func<string, string?> environment, IConfiguration file)
    {
        string? Pick(string? given, string variable, string key) => given ?? environment(variable) ?? file[$"FailoverHub:{key}"];
        return new HubSettings(
            Pick(commandLine.Urls, "FAILOVERHUB_URLS", nameof(Urls)),
            Pick(commandLine.AgentUrl, "FAILOVERHUB_AGENT_URL", nameof(AgentUrl)),
            Pick(commandLine.Data, "FAILOVERHUB_DATA", nameof(Data)),
            Pick(commandLine.Probe, "FAILOVERHUB_PROBE", nameof(Probe)),
            Pick(commandLine.Database, "FAILOVERHUB_DATABASE", nameof(Database)),
            Pick(commandLine.DatabasePasswordFile, "FAILOVERHUB_DATABASE_PASSWORD_FILE", nameof(DatabasePasswordFile)),
            ProviderSettings.Layer(environment, file))
        {
            AgentNames = Pick(commandLine.AgentNames, "FAILOVERHUB_AGENT_NAMES", nameof(AgentNames)),
            AgentCertificate = Pick(commandLine.AgentCertificate, "FAILOVERHUB_AGENT_CERTIFICATE", nameof(AgentCertificate)),
            AgentKey = Pick(commandLine.AgentKey, "FAILOVERHUB_AGENT_KEY", nameof(AgentKey)),
            TraceEndpoint = Pick(commandLine.TraceEndpoint, TraceEndpointKey, nameof(TraceEndpoint)) ?? environment(StandardTraceEndpointKey),
            Cooldown = Pick(commandLine.Cooldown, CooldownKey, nameof(Cooldown)),
            CertificateHours = Pick(commandLine.CertificateHours, CertificateHoursKey, nameof(CertificateHours)),
            TrustedProxies = Pick(commandLine.TrustedProxies, "FAILOVERHUB_TRUSTED_PROXIES", nameof(TrustedProxies)),
            VantagePoints = Pick(commandLine.VantagePoints, "FAILOVERHUB_VANTAGE_POINTS", nameof(VantagePoints)),
            PublicUrl = Pick(commandLine.PublicUrl, "FAILOVERHUB_PUBLIC_URL", nameof(PublicUrl)),
            TwoPerson = Pick(commandLine.TwoPerson, TwoPersonKey, nameof(TwoPerson)),
        };
    }

    /// <summary>The settings' text would have a password in it.</summary>
    public override string ToString() => nameof(HubSettings);

    /// <summary>The file beside the executable, where a package puts it; it may be absent.</summary>
    public static IConfiguration ReadFile() =>
        new ConfigurationBuilder().SetBasePath(AppContext.BaseDirectory).AddJsonFile("appsettings.json", optional: true).Build();
}
