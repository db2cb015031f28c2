using FailoverHub.Web.Components.Layout;
using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;

namespace FailoverHub.Web.Components.Live;

/// <summary>What only the browser can do, one per circuit: read and keep its preferences, copy to the clipboard.</summary>
internal sealed class BrowserInterop(IJSRuntime script) : IAsyncDisposable
{
    private IJSObjectReference? _module;

    public async ValueTask<DisplayPreferences> ReadAsync() =>
        DisplayPreferences.From(await (await ModuleAsync()).InvokeAsync<BrowserPreferences>("read"));

    /// <summary>Keeps one preference in this browser and returns all of them as they are then.</summary>
    public async ValueTask<DisplayPreferences> KeepAsync(string name, string value) =>
        DisplayPreferences.From(await (await ModuleAsync()).InvokeAsync<BrowserPreferences>("keep", name, value));

    public async ValueTask<bool> CopyAsync(string text) => await (await ModuleAsync()).InvokeAsync<bool>("copy", text);

    /// <summary>Moves the focus into a dialog that has just been opened.</summary>
    public async ValueTask FocusSoonAsync(ElementReference element) => await (await ModuleAsync()).InvokeVoidAsync("focusSoon", element);

    public async ValueTask WatchSystemThemeAsync<T>(DotNetObjectReference<T> page)
        where T : class =>
        await (await ModuleAsync()).InvokeVoidAsync("watchSystem", page);

    public async ValueTask DisposeAsync()
    {
        if (_module is null)
        {
            return;
        }

        try
        {
            await _module.InvokeVoidAsync("stop");
            await _module.DisposeAsync();
        }
        catch (JSDisconnectedException)
        {
            // The browser has gone, and its listeners with it.
        }
    }

    private async ValueTask<IJSObjectReference> ModuleAsync() =>
        _module ??= await script.InvokeAsync<IJSObjectReference>("import", "./js/browser.js");
}
