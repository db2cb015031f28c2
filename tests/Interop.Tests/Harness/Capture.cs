namespace FailoverHub.Interop.Tests.Harness;

/// <summary>
/// What went over the segment to and from the route servers' port, read by Wireshark's dissector, which is not ours and complains of more than a daemon does.
/// </summary>
internal sealed class Capture
{
    private readonly DataCenter _center;
    private readonly SandboxProcess _recorder;
    private readonly string _file;

    private Capture(DataCenter center, SandboxProcess recorder, string file)
    {
        _center = center;
        _recorder = recorder;
        _file = file;
    }

    /// <summary>Records from now on.</summary>
    public static async Task<Capture> StartAsync(DataCenter center, CancellationToken cancellation)
    {
        const string file = "/run/wire.pcap";
        var recorder = center.Sandbox.Spawn("dumpcap", Networks.Segment(center.Options), ["dumpcap", "-q", "-P", "-i", "lan", "-w", file, "-f", "tcp port 179"]);
        await Eventually.SeeAsync("dumpcap capturing", recorder.LogAsync, log => log.Contains("File: ", StringComparison.Ordinal), cancellation);
        return new Capture(center, recorder, file);
    }

    /// <summary>Waits until so many packets that pass the filter are in the file, and ends the recording.</summary>
    public async Task StopAfterAsync(string filter, int count, CancellationToken cancellation)
    {
        await Eventually.SeeAsync($"{count} packets of '{filter}'", c => PacketsAsync(filter, c), packets => packets.Count >= count, cancellation);
        await _recorder.SignalAsync("TERM", cancellation);
        await _recorder.ExitAsync(cancellation);
    }

    /// <summary>One line of text for each packet that passes the filter.</summary>
    public Task<IReadOnlyList<string>> PacketsAsync(string filter, CancellationToken cancellation) => ReadAsync(["-Y", filter], cancellation);

    /// <summary>Values of fields in the packets that pass the filter, in the order of the wire.</summary>
    /// <returns>For each packet and each field its values; a packet has as many as it has BGP messages, and more.</returns>
    public async Task<IReadOnlyList<string[][]>> FieldsAsync(string filter, string[] fields, CancellationToken cancellation)
    {
        var lines = await ReadAsync(
            ["-Y", filter, "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=/s", .. fields.SelectMany(field => (string[])["-e", field])], cancellation);
        return [.. lines.Select(line => line.Split('\t').Select(values => values.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToArray())];
    }

    /// <summary>Every packet with something malformed, or with BGP that Wireshark warns of.</summary>
    // Its own number: PI_WARN. Notes and chats are about TCP's ordinary life.
    public Task<IReadOnlyList<string>> ComplaintsAsync(CancellationToken cancellation) =>
        PacketsAsync("_ws.malformed || (bgp && _ws.expert.severity >= 0x00600000)", cancellation);

    // AS numbers have four octets in a session of two speakers that said so; Wireshark would else guess from each message by itself.
    private async Task<IReadOnlyList<string>> ReadAsync(string[] arguments, CancellationToken cancellation) =>
        (await _center.Sandbox.RunAsync(null, ["tshark", "-n", "-r", _file, "-o", "bgp.asn_len:4 octet", .. arguments], cancellation))
            .Checked().Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
