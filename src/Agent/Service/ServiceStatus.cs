using System.Globalization;
using System.Text;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Prefixes;

namespace FailoverHub.Agent.Service;

/// <summary>The node in one line, as <c>systemctl status</c> shows it.</summary>
internal static class ServiceStatus
{
    private const int MostPrefixes = 4;

    public static string Of(NodeState node)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{node.EstablishedSessions} of {node.Sessions.Length} sessions established; ");
        if (node.Stopping)
        {
            return text.Append("stopping").ToString();
        }

        if (node.Leaving is { } leaving)
        {
            text.Append(CultureInfo.InvariantCulture, $"leaving with graceful shutdown ({leaving.Cause}); ");
        }
        else if (node.Drained)
        {
            text.Append("DRAINED; ");
        }

        var announced = node.Prefixes.Where(prefix => prefix.Decision is AdvertisementDecision.Announce).ToList();
        var silent = node.Prefixes.Where(prefix => prefix.Decision is AdvertisementDecision.Withdraw).ToList();
        text.Append(announced.Count == 0 ? "nothing is announced" : "announces ");
        List(text, announced, prefix => ((AdvertisementDecision.Announce)prefix.Decision).Role.Word());
        if (silent.Count > 0)
        {
            text.Append("; not ");
            List(text, silent, prefix => ((AdvertisementDecision.Withdraw)prefix.Decision).Reason.Word());
        }

        return text.ToString();
    }

    // One line of a terminal: a node of thousands of prefixes says how many more there are.
    private static void List(StringBuilder text, List<PrefixState> prefixes, Func<PrefixState, string> word)
    {
        text.AppendJoin(", ", prefixes.Take(MostPrefixes).Select(prefix => $"{prefix.Prefix} ({word(prefix)})"));
        if (prefixes.Count > MostPrefixes)
        {
            text.Append(CultureInfo.InvariantCulture, $" and {prefixes.Count - MostPrefixes} more");
        }
    }
}
