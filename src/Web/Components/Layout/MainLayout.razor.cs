using FailoverHub.Web.Components.Live;
using FailoverHub.Web.Operations;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.JSInterop;
using MudBlazor;

namespace FailoverHub.Web.Components.Layout;

/// <summary>The frame of every page: theme, bar, navigation, and what pages know of browser and user.</summary>
public sealed partial class MainLayout : IDisposable
{
    private readonly ReadFaults _faults = new();
    private DisplayPreferences? _display;
    private bool _signedOut;
    private Actor _actor = new("unknown", null, null);
    private ErrorBoundary? _errors;
    private DotNetObjectReference<MainLayout>? _self;

    [Inject]
    private BrowserInterop Browser { get; set; } = null!;

    [Inject]
    private IDialogService Dialogs { get; set; } = null!;

    [CascadingParameter]
    private Task<AuthenticationState>? Authentication { get; set; }

    [CascadingParameter]
    private PageRequest Request { get; set; } = PageRequest.Unknown;

    /// <summary>The operating system changed between light and dark.</summary>
    [JSInvokable]
    public async Task SystemThemeChanged()
    {
        _display = await Browser.ReadAsync();
        StateHasChanged();
    }

    /// <inheritdoc/>
    public void Dispose() => _self?.Dispose();

    /// <inheritdoc/>
    protected override async Task OnInitializedAsync()
    {
        if (Authentication is not null)
        {
            _actor = Request.ActorOf((await Authentication).User);
        }
    }

    /// <inheritdoc/>
    protected override async Task OnParametersSetAsync()
    {
        _errors?.Recover();
        _signedOut = Authentication is not null && (await Authentication).User.Identity is not { IsAuthenticated: true };
    }

    /// <inheritdoc/>
    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (!firstRender)
        {
            return;
        }

        // The first drawing waits for it: else it would be in the wrong colours for a moment.
        _display = await Browser.ReadAsync();
        StateHasChanged();
        _self = DotNetObjectReference.Create(this);
        await Browser.WatchSystemThemeAsync(_self);
    }

    private async Task NextThemeAsync()
    {
        string next = _display!.Theme switch
        {
            ThemeChoice.System => "light",
            ThemeChoice.Light => "dark",
            _ => "system",
        };
        _display = await Browser.KeepAsync("fh-theme", next);
    }

    private async Task SwitchTimeAsync() => _display = await Browser.KeepAsync("fh-time", _display!.IsUtc ? "local" : "utc");

    private async Task ShowHelpAsync() => await Dialogs.ShowAsync<HelpDialog>("Keyboard and reading the page", new DialogParameters<HelpDialog>
    {
        { help => help.Shortcuts, _display!.Shortcuts },
        { help => help.ShortcutsChanged, EventCallback.Factory.Create<bool>(this, async on => _display = await Browser.KeepAsync("fh-keys", on ? "on" : "off")) },
    });
}
