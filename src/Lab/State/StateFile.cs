using System.Collections.Immutable;
using System.Text.Json;
using System.Threading.Channels;
using FailoverHub.Lab.Nodes;
using FailoverHub.Lab.Routes;
using FailoverHub.Lab.RouteServers;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Lab.State;

/// <summary>
/// Keeps the state file equal to the routing state: each version replaces the file whole (written beside it, then renamed). Changes that come
/// while it writes are written together; the routing loop never waits for the disk.
/// </summary>
internal sealed class StateFile : IRoutingObserver
{
    private readonly Channel<StateDocument> _latest =
        Channel.CreateBounded<StateDocument>(new BoundedChannelOptions(1) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });

    private readonly string _path;
    private readonly NodeNames _names;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private ImmutableSortedDictionary<string, AddressDocument> _addresses = ImmutableSortedDictionary<string, AddressDocument>.Empty;

    public StateFile(string path, RoutingState initial, NodeNames names, TimeProvider time, ILogger logger)
    {
        _path = path;
        _names = names;
        _time = time;
        _logger = logger;
        Post(initial);
    }

    public ValueTask OnChangedAsync(RoutingEvent happened, RoutingState before, RoutingState after)
    {
        foreach (var prefix in before.Holders.Keys.Union(after.Holders.Keys))
        {
            var from = before.Holders.GetValueOrDefault(prefix)?.Offer.NextHop;
            var to = after.Holders.GetValueOrDefault(prefix)?.Offer.NextHop;
            if (!Equals(from, to))
            {
                _addresses = _addresses.SetItem(prefix.ToString(), StateMapping.ToAddress(prefix, to, _names, _time.GetUtcNow()));
            }
        }

        Post(after);
        return ValueTask.CompletedTask;
    }

    /// <summary>Nothing more comes: the loop ends after the last version is written.</summary>
    public void Complete() => _latest.Writer.Complete();

    /// <summary>Writes version after version until <see cref="Complete"/>.</summary>
    public async Task RunAsync()
    {
        await foreach (var document in _latest.Reader.ReadAllAsync())
        {
            try
            {
                var beside = _path + ".new";
                await File.WriteAllBytesAsync(beside, JsonSerializer.SerializeToUtf8Bytes(document, StateJson.Default.StateDocument));
                File.Move(beside, _path, overwrite: true);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                _logger.StateFileFailed(_path, error.Message);
            }
        }
    }

    private void Post(RoutingState state) => _latest.Writer.TryWrite(StateMapping.ToDocument(state, _addresses, _names, _time.GetUtcNow()));
}
