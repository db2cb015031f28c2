using FailoverHub.Agent.Identity;

namespace FailoverHub.Agent.Hub;

/// <summary>The place of the link to the hub: another hub, or none, is another link, and nothing else notices.</summary>
/// <param name="create">Makes a link that does not run yet.</param>
/// <param name="patience">How long a link that goes may say what its hub does not know yet.</param>
internal sealed class HubSlot(Func<HubLinkSettings, HubLink> create, TimeSpan patience) : IDisposable
{
    private readonly SemaphoreSlim _gate = new(1);
    private HubLinkSettings? _settings;
    private HubLink? _link;
    private Task _running = Task.CompletedTask;
    private bool _finished;

    /// <summary>How it stands; null: stand-alone. From any thread.</summary>
    public HubReading? Reading => Volatile.Read(ref _link)?.Reading;

    /// <summary>This is the hub from now on; null: none. The same settings again change nothing, and after <see cref="FinishAsync"/> nothing does.</summary>
    public async Task SwitchAsync(HubLinkSettings? settings)
    {
        await _gate.WaitAsync();
        try
        {
            if (_finished || IsSame(settings))
            {
                return;
            }

            await EndAsync();
            _settings = settings;
            if (settings is not null)
            {
                _link = create(settings);
                _running = Task.Run(_link.RunAsync);
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>The last words, within the patience.</summary>
    public async Task FinishAsync()
    {
        await _gate.WaitAsync();
        try
        {
            _finished = true;
            await EndAsync();
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose()
    {
        _link?.Dispose();
        _gate.Dispose();
    }

    // What a stream begins with. Everything else is read anew for each report. The link may have renewed its certificate itself.
    private bool IsSame(HubLinkSettings? settings) =>
        (settings?.Hub, settings?.Node, settings?.DataCenter, settings?.Vantage) == (_settings?.Hub, _settings?.Node, _settings?.DataCenter, _settings?.Vantage)
        && settings?.Member?.Identity.Fingerprint == _link?.Identity?.Fingerprint
        && settings?.Trust.Equals(_settings?.Trust) != false;

    private async Task EndAsync()
    {
        if (_link is { } link)
        {
            await link.FinishAsync(_running, patience);
            link.Dispose();
            _link = null;
        }
    }
}
