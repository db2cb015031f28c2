using System.Collections.Immutable;
using System.Net;
using FailoverHub.Agent.Checks;

namespace FailoverHub.Agent.Vantage;

/// <summary>
/// What of a plan this node asks, and why it does not ask the rest. Pure; whatever a hub sends, it throws nothing and keeps no more than a plan may have.
/// </summary>
internal static class PlanReading
{
    /// <summary>What is more is not asked.</summary>
    public const int MostTasks = 200;

    /// <summary>That are told; whoever has sent more is wrong in another way.</summary>
    public const int MostProblems = 200;

    private const int LongestUrl = 2000;
    private const int LongestPattern = 500;
    private const int MostStatuses = 20;

    // Characters of what is wrong with a pattern.
    private const int LongestMistake = 200;
    private const int MostDays = 3650;

    private static readonly TimeSpan _shortestInterval = TimeSpan.FromMilliseconds(100);

    // A connection, TLS and a page each time: that is work for both sides.
    private static readonly TimeSpan _shortestOfPages = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _longestInterval = TimeSpan.FromHours(1);
    private static readonly TimeSpan _shortestTimeout = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan _longestTimeout = TimeSpan.FromSeconds(10);

    // Redirects are answers.
    private static readonly ImmutableArray<StatusRange> _usualStatuses = [new(200, 399)];

    /// <summary>Reads it.</summary>
    public static VantagePlan Of(AskedPlan asked)
    {
        var tasks = ImmutableArray.CreateBuilder<VantageTask>();
        var problems = ImmutableArray.CreateBuilder<VantageProblem>();
        foreach (var task in asked.Tasks)
        {
            var (read, problem) = asked.Tasks.Count(other => other.Id == task.Id) > 1 ? (null, "the plan has more than one task of this number; none of them is asked")
                : tasks.Count == MostTasks ? (null, $"the plan has more than {MostTasks} tasks; give this one to another node")
                : Read(task);
            if (read is not null)
            {
                tasks.Add(read);
            }
            else if (problems.Count < MostProblems && problems.All(said => said.Task != task.Id))
            {
                problems.Add(new VantageProblem(task.Id, problem!));
            }
        }

        return new VantagePlan(asked.Revision, tasks.ToImmutable(), problems.ToImmutable());
    }

    private static (VantageTask? Task, string? Problem) Read(AskedTask asked)
    {
        var (way, problem) = asked.Way switch
        {
            AskedWay.Icmp => ReadAddress(asked.Address, address => new VantageWay.Icmp(address)),
            AskedWay.Tcp(> 0 and <= IPEndPoint.MaxPort and var port) => ReadAddress(asked.Address, address => new VantageWay.Tcp(address, (int)port)),
            AskedWay.Tcp(var port) => (null, $"port {port} is out of range; give 1 to {IPEndPoint.MaxPort}"),
            AskedWay.Http http => ReadPage(asked.Address, http),
            _ => (null, "this agent knows no such way to ask; update it, or give the task to another node"),
        };
        if (way is null)
        {
            return (null, problem);
        }

        var interval = TimeSpan.FromMilliseconds(asked.IntervalMs);
        var timeout = TimeSpan.FromMilliseconds(asked.TimeoutMs);
        var shortest = way is VantageWay.Http ? _shortestOfPages : _shortestInterval;
        return interval < shortest || interval > _longestInterval ? (null, $"an interval of {asked.IntervalMs} ms is out of range; give {shortest.TotalMilliseconds:0} to {_longestInterval.TotalMilliseconds:0}")
            : timeout < _shortestTimeout || timeout > _longestTimeout ? (null, $"a timeout of {asked.TimeoutMs} ms is out of range; give {_shortestTimeout.TotalMilliseconds:0} to {_longestTimeout.TotalMilliseconds:0}")
            : (new VantageTask(asked.Id, way, interval, timeout), null);
    }

    private static (VantageWay? Way, string? Problem) ReadAddress(string text, Func<IPAddress, VantageWay> way)
    {
        var (address, problem) = AskableAddress.Read(text);
        return (address is null ? null : way(address), problem);
    }

    private static (VantageWay? Way, string? Problem) ReadPage(string address, AskedWay.Http asked)
    {
        if (asked.Url.Length > LongestUrl || !Uri.TryCreate(asked.Url, UriKind.Absolute, out var url) || (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps)
            || url.Host.Length == 0 || url.UserInfo.Length > 0 || url.Port is < 1 or > IPEndPoint.MaxPort)
        {
            return (null, $"'{AskableAddress.Quote(asked.Url)}' is no URL that is fetched; give one of http or https without a user, of at most {LongestUrl} characters");
        }

        if (address.Length == 0 && url.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6)
        {
            address = url.DnsSafeHost;
        }

        var (host, problem) = address.Length > 0 ? AskableAddress.Read(address) : (null, null);
        if (problem is not null)
        {
            return (null, problem);
        }

        if (asked.Statuses.Length > MostStatuses || asked.Statuses.Any(range => range.First < 100 || range.Last > 599 || range.Last < range.First))
        {
            return (null, $"its statuses make no sense; give at most {MostStatuses} ranges from 100 to 599");
        }

        if (asked.CertificateDays > MostDays)
        {
            return (null, $"{asked.CertificateDays} days of a certificate are more than any has; give at most {MostDays}");
        }

        BodyPattern? body = null;
        if (asked.BodyPattern.Length > LongestPattern)
        {
            return (null, $"the pattern of its body has {asked.BodyPattern.Length} characters; give at most {LongestPattern}");
        }

        if (asked.BodyPattern.Length > 0 && !BodyPattern.TryMatching(asked.BodyPattern, out body, out var mistake))
        {
            return (null, Printable.Shortened(Printable.Of(mistake), LongestMistake));
        }

        return (new VantageWay.Http(host, new ProbeOptions.Http(url)
        {
            ConnectTo = host?.ToString(),
            Statuses = asked.Statuses.IsEmpty ? _usualStatuses : asked.Statuses,
            Body = body,
            VerifyCertificate = !asked.TrustAnyCertificate,
            MinimumCertificateDays = (int)asked.CertificateDays,
        }), null);
    }
}
