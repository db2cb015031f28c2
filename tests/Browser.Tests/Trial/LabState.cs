using System.Text.Json.Nodes;

namespace FailoverHub.Browser.Tests.Trial;

/// <summary>The lab's state file: what the route servers really know, whatever hub and agents think.</summary>
internal sealed class LabState(string path)
{
    /// <summary>The node that the fabric forwards the shared address to, null for nowhere.</summary>
    public string? Holder => (string?)Read()["addresses"]!.AsArray().FirstOrDefault()?["holder"];

    /// <summary>When the fabric moved the address last.</summary>
    public DateTimeOffset HolderSince => (DateTimeOffset)Read()["addresses"]![0]!["since"]!;

    /// <summary>When each route server got the route that it has from each node.</summary>
    public IEnumerable<DateTimeOffset> RoutesReceivedAt => Read()["routeServers"]!.AsArray()
        .SelectMany(server => server!["sessions"]!.AsArray())
        .SelectMany(session => session!["routes"]!.AsArray())
        .Select(route => (DateTimeOffset)route!["receivedAt"]!);

    private JsonNode Read() => JsonNode.Parse(File.ReadAllText(path))!;
}
