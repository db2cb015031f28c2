using System.Collections.Immutable;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Configuration.Layers;
using FailoverHub.Bgp.Messages;

namespace FailoverHub.Agent.Reload;

/// <summary>What another configuration may change while the agent runs, and what it changes.</summary>
internal static class ReloadRules
{
    /// <summary>What only a start can change and is another now, each in a sentence with what to do. None: it can be taken.</summary>
    /// <param name="running">What the agent runs by.</param>
    /// <param name="read">What was read.</param>
    /// <param name="routerId">Of the sessions, whoever chose it.</param>
    public static ImmutableArray<string> NeedARestart(AgentOptions running, AgentOptions read, RouterId routerId)
    {
        var sentences = ImmutableArray.CreateBuilder<string>();
        Fixed("node", running.Node, read.Node);
        Fixed("state", running.StateDirectory, read.StateDirectory);
        Fixed("control", running.ControlSocket, read.ControlSocket);
        Fixed("routerId", routerId.ToString(), (read.RouterId ?? routerId).ToString());
        Fixed("log.json", Word(running.LogJson), Word(read.LogJson));
        Fixed("metrics", running.Metrics?.ToString() ?? "none", read.Metrics?.ToString() ?? "none");
        Fixed("addresses.mode", running.Addresses.Mode.ToString(), read.Addresses.Mode.ToString());
        Fixed("addresses.device", running.Addresses.Device ?? "lo", read.Addresses.Device ?? "lo");
        Fixed("metadata", string.Join(' ', running.Metadata), string.Join(' ', read.Metadata));
        return sentences.ToImmutable();

        void Fixed(string key, string before, string now)
        {
            if (before != now)
            {
                sentences.Add($"{key}: '{now}' instead of '{before}' takes effect at a start only; restart the agent, or write back what was there.");
            }
        }

        static string Word(bool on) => on ? "true" : "false";
    }

    /// <summary>
    /// Where nobody says whether the metadata service is asked, it goes on as since the start: neighbors that are given or taken away change nothing about it, and
    /// nobody is refused for a key that he has not written.
    /// </summary>
    /// <param name="running">What the agent runs by.</param>
    /// <param name="read">What was read.</param>
    public static AgentOptions WithTheServiceOf(AgentOptions running, AgentOptions read) =>
        running.MetadataIsGiven || read.MetadataIsGiven ? read : read with { Metadata = running.Metadata };

    /// <summary>For the journal: what is other now, in words.</summary>
    public static string Differences(AgentOptions running, AgentOptions read)
    {
        var before = ConfigurationReport.Words(running).ToList();
        var now = ConfigurationReport.Words(read).ToList();
        var labels = now.Except(before).Concat(before.Except(now)).Select(row => row.Label).Distinct().ToList();
        if (!labels.Contains("session") && !Equals(running.Protocol.Authentication, read.Protocol.Authentication))
        {
            labels.Add("key of the sessions");
        }

        return labels.Count == 0 ? "nothing is different" : $"different: {string.Join(", ", labels)}";
    }
}
