using System.Collections.Immutable;
using FailoverHub.Agent.Configuration.CommandLine;
using FailoverHub.Agent.Speaker;
using FailoverHub.Bgp.Messages;

namespace FailoverHub.Agent.Configuration;

/// <summary>The flags of the protocol's options, from typed strings to <see cref="ProtocolOptions"/>. Key files are read here, once.</summary>
/// <param name="raw">As they were typed.</param>
/// <param name="errors">Takes what is wrong.</param>
internal sealed class ProtocolOptionsReader(RawArguments raw, FlagErrors errors)
{
    /// <summary>Seconds. A route that waits longer for its withdrawal is rather a route that stays.</summary>
    public const int LongestGracefulShutdown = 600;

    // An UPDATE has 4096 octets, and a large community takes twelve of them on every route.
    private const int MostLargeCommunities = 32;

    /// <param name="holdTime">The one that is offered.</param>
    public ProtocolOptions Read(HoldTime holdTime) => new()
    {
        Authentication = ReadAuthentication(),
        TtlSecurity = ReadTtlSecurity(),
        ExtendedMessages = raw.ExtendedMessages,
        EnhancedRouteRefresh = raw.EnhancedRouteRefresh,
        GracefulRestartHelper = raw.GracefulRestartHelper,
        SendHoldTime = ReadSendHoldTime(holdTime),
        LargeCommunities = ReadLargeCommunities(),
        GracefulShutdown = TimeSpan.FromSeconds(errors.Number("--graceful-shutdown", raw.GracefulShutdown, 0, 0, LongestGracefulShutdown, "a time in seconds")),
    };

    private PeerAuthentication? ReadAuthentication()
    {
        if (raw.Md5KeyFile is not null && raw.TcpAoKeyFile is not null)
        {
            errors.Add("--md5-key-file and --tcp-ao-key-file are both given; a session is signed in one way, give the one that the neighbors have.");
            return null;
        }

        if ((raw.Md5KeyFile ?? raw.TcpAoKeyFile) is not { } path)
        {
            return null;
        }

        var (authentication, problem) = raw.Md5KeyFile is not null ? KeyFile.ReadTcpMd5(path) : KeyFile.ReadTcpAo(path);
        if (problem is not null)
        {
            errors.Add($"{(raw.Md5KeyFile is not null ? "--md5-key-file" : "--tcp-ao-key-file")}: {problem}");
        }

        return authentication;
    }

    private int? ReadTtlSecurity()
    {
        if (raw.TtlSecurity is null)
        {
            return null;
        }

        if (raw.MultihopTtl is not null)
        {
            errors.Add("--ttl-security and --multihopttl are both given; with --ttl-security packets are always sent with a TTL of 255, give only one of the two.");
        }

        return (int)errors.Number("--ttl-security", raw.TtlSecurity, 1, 1, 254, "the number of hops to the farthest neighbor");
    }

    private TimeSpan? ReadSendHoldTime(HoldTime holdTime)
    {
        if (raw.SendHoldTime is null)
        {
            return null;
        }

        var seconds = errors.Number("--send-hold-time", raw.SendHoldTime, ushort.MaxValue, 0, ushort.MaxValue, "a time in seconds");
        if (seconds > 0 && seconds <= holdTime.Seconds)
        {
            errors.Add($"--send-hold-time: {seconds} s is not longer than the hold time of {holdTime.Seconds} s, and would end sessions that are well; give at least {holdTime.Seconds + 1}, twice the hold time is usual, or 0 for no such end.");
        }

        return TimeSpan.FromSeconds(seconds);
    }

    private ImmutableArray<LargeCommunity> ReadLargeCommunities()
    {
        var communities = new List<LargeCommunity>();
        foreach (var text in errors.Each("--large-community", raw.LargeCommunities))
        {
            if (!LargeCommunity.TryParse(text, out var community))
            {
                errors.Add($"--large-community: '{text}' is none; give three numbers from 0 to 4294967295, such as 64500:1:20.");
            }
            else if (communities.Contains(community))
            {
                errors.Add($"--large-community: {community} is given twice; give each large community once.");
            }
            else
            {
                communities.Add(community);
            }
        }

        if (communities.Count > MostLargeCommunities)
        {
            errors.Add($"--large-community: {communities.Count} are given, at most {MostLargeCommunities} are possible; give fewer.");
        }

        communities.Sort();
        return [.. communities];
    }
}
