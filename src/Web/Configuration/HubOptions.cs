using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Access.Provider;
using FailoverHub.Web.Access.Proxies;
using FailoverHub.Web.Data;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Operations.Rules;
using FailoverHub.Web.Reachability.Vantages;

namespace FailoverHub.Web.Configuration;

/// <summary>What the hub runs with. Only <see cref="Parse"/> makes one from text, so every value in it is usable.</summary>
internal sealed record HubOptions
{
    public const string DefaultUrls = "http://127.0.0.1:5080";
    public const string DefaultAgentUrl = "https://*:5443";

    /// <summary>Where browsers and scripts are served; at least one.</summary>
    public required ImmutableArray<BindUrl> Urls { get; init; }

    /// <summary>Where agents are served: HTTP/2, with TLS and client certificates; without only on loopback, when that is asked for.</summary>
    public required BindUrl AgentUrl { get; init; }

    /// <summary>How agents reach and trust that endpoint.</summary>
    public required AgentsEndpoint Agents { get; init; }

    /// <summary>Absolute path of the folder that keeps database and keys.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>How shared addresses are probed.</summary>
    public required ProbeSetting Probe { get; init; }

    /// <summary>SR-06: a pair is moved at most so often within a minute, 0 to 1000; 0: as often as anybody likes.</summary>
    public int MovesAMinute { get; init; } = 4;

    /// <summary>Nodes that ask each target beside the hub, 0 to 3.</summary>
    public int VantagePoints { get; init; } = 1;

    /// <summary>The collector that spans are sent to by OTLP; null: nothing is traced.</summary>
    public Uri? TraceEndpoint { get; init; }

    /// <summary>SR-11: whom a second person is asked about.</summary>
    public TwoPersonPolicy TwoPerson { get; init; }

    /// <summary>Which database the hub keeps its things in.</summary>
    public DatabaseSetting Database { get; init; } = DatabaseSetting.InDataFolder;

    /// <summary>The provider that people may sign in with; null: there is none.</summary>
    public ProviderOptions? Provider { get; init; }

    /// <summary>Peers that may say for whom they ask; empty: nobody.</summary>
    public ImmutableArray<IPNetwork> TrustedProxies { get; init; } = [];

    /// <summary>Where people reach the dashboard, with a slash at its end; null: not known, and messages have no links.</summary>
    public Uri? PublicUrl { get; init; }

    /// <summary>Checks everything and names every problem, not only the first.</summary>
    public static HubOptionsResult Parse(HubSettings settings)
    {
        var problems = ImmutableArray.CreateBuilder<string>();

        var urls = ImmutableArray.CreateBuilder<BindUrl>();
        foreach (string text in (settings.Urls ?? DefaultUrls).Split([';', ',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (BindUrl.TryParse(text, out BindUrl? url, out string? problem))
            {
                urls.Add(url);
            }
            else
            {
                problems.Add($"{HubSettings.UrlsKey}: {problem}. Write addresses to listen on, separated by ';'.");
            }
        }

        if (urls.Count == 0 && problems.Count == 0)
        {
            problems.Add($"{HubSettings.UrlsKey}: is empty. Leave it out for {DefaultUrls}, or write an address to listen on.");
        }

        if (!BindUrl.TryParse(settings.AgentUrl ?? DefaultAgentUrl, out BindUrl? agentUrl, out string? agentProblem))
        {
            problems.Add($"{HubSettings.AgentUrlKey}: {agentProblem}. Write an address to listen on such as {DefaultAgentUrl}, or leave it out.");
        }
        else if (!agentUrl.IsHttps && !agentUrl.IsLoopback)
        {
            problems.Add($"{HubSettings.AgentUrlKey}: '{settings.AgentUrl}' can be reached from other machines, and without TLS there are no certificates: anyone there could pose as a node. Write https://, or for a trial a loopback address such as http://127.0.0.1:5081.");
        }
        else if (urls.Any(agentUrl.Overlaps))
        {
            problems.Add($"{HubSettings.AgentUrlKey}: {agentUrl} is also in {HubSettings.UrlsKey}; browsers and agents cannot share a port. Give agents another port.");
        }

        var agents = AgentsEndpointReader.Read(settings, agentUrl, problems);

        string? data = null;
        if (settings.Data is { } wanted && string.IsNullOrWhiteSpace(wanted))
        {
            problems.Add($"{HubSettings.DataKey}: is empty. Leave it out for the default, or write a folder.");
        }
        else
        {
            data = Path.GetFullPath(settings.Data ?? DefaultDataDirectory());
        }

        int moves = 4;
        if (settings.Cooldown is { } cooldown && !(int.TryParse(cooldown, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out moves) && moves <= 1_000))
        {
            problems.Add($"{HubSettings.CooldownKey}: '{cooldown}' is no number of moves within a minute. Write 0 (no limit) to 1000; left out it is 4.");
        }

        int vantages = 1;
        if (settings.VantagePoints is { } nodes && !(int.TryParse(nodes, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out vantages) && vantages <= VantageAssignment.MostPerTarget))
        {
            problems.Add($"{HubSettings.VantagePointsKey}: '{nodes}' is no number of nodes that ask each address beside the hub. Write 0 (none) to {VantageAssignment.MostPerTarget}; left out it is 1.");
        }

        Uri? traces = null;
        if (!string.IsNullOrWhiteSpace(settings.TraceEndpoint) && !(Uri.TryCreate(settings.TraceEndpoint, UriKind.Absolute, out traces) && traces.Scheme is "http" or "https"))
        {
            problems.Add($"{HubSettings.TraceEndpointKey} ({HubSettings.StandardTraceEndpointKey}): '{settings.TraceEndpoint}' is no address of a collector. Write http:// or https://, a host and a port such as http://127.0.0.1:4317, or leave it out.");
        }

        Uri? publicUrl = null;
        if (settings.PublicUrl is { } shown && !TryReadPublicUrl(shown, out publicUrl))
        {
            problems.Add($"{HubSettings.PublicUrlKey}: '{shown}' is no address of the dashboard. Write http:// or https://, a host and a port if it has one, and nothing after it, such as https://hub.example.");
        }

        var twoPerson = TwoPersonPolicy.Off;
        if (settings.TwoPerson is { } policy && !(policy.All(char.IsLetter) && Enum.TryParse(policy, ignoreCase: true, out twoPerson)))
        {
            problems.Add($"{HubSettings.TwoPersonKey}: '{policy}' does not say what a second person has to approve. Write off, moves or all.");
        }

        if (!ProbeSetting.TryParse(settings.Probe ?? "icmp", out ProbeSetting? probe))
        {
            problems.Add($"{HubSettings.ProbeKey}: '{settings.Probe}' is no way to probe. Write icmp, or tcp: and a port from 1 to 65535, such as tcp:8080.");
        }

        if (!DatabaseText.TryParse(settings.Database, settings.DatabasePasswordFile, out DatabaseSetting? database, out string? databaseProblem))
        {
            problems.Add($"{HubSettings.DatabaseKey}: {databaseProblem}.");
        }

        ImmutableArray<IPNetwork> proxies = TrustedProxySetting.Parse(settings.TrustedProxies, problems);
        ProviderOptions? provider = settings.Provider?.Parse(problems, File.ReadAllText);
        return problems.Count > 0
            ? new HubOptionsResult(null, problems.ToImmutable())
            : new HubOptionsResult(new HubOptions { Urls = urls.ToImmutable(), AgentUrl = agentUrl!, Agents = agents, DataDirectory = data!, Probe = probe!, MovesAMinute = moves, VantagePoints = vantages, TwoPerson = twoPerson, TraceEndpoint = traces, Database = database!, Provider = provider, TrustedProxies = proxies, PublicUrl = publicUrl }, []);
    }

    // The dashboard is at the root of its host; a name and a password would be sent to everybody who is told of an alert.
    private static bool TryReadPublicUrl(string text, out Uri? url) =>
        Uri.TryCreate(text, UriKind.Absolute, out url) && url.Scheme is "http" or "https" && url.Host.Length > 0 && url.UserInfo.Length == 0 && url.PathAndQuery == "/" && url.Fragment.Length == 0;

    /// <summary>$XDG_STATE_HOME/failoverhub, or ~/.local/state/failoverhub as the XDG base directory specification has it.</summary>
    public static string DefaultDataDirectory()
    {
        string? state = Environment.GetEnvironmentVariable("XDG_STATE_HOME");
        if (string.IsNullOrEmpty(state) || !Path.IsPathRooted(state))
        {
            state = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state");
        }

        return Path.Combine(state, "failoverhub");
    }
}

/// <summary>Either options or every problem, each one sentence or two that name the key and what to do.</summary>
internal sealed record HubOptionsResult(HubOptions? Options, ImmutableArray<string> Problems);
