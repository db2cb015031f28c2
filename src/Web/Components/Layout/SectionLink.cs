using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Routing;

namespace FailoverHub.Web.Components.Layout;

/// <summary>A link of the menu that stands for all pages below one path, of which it opens the first.</summary>
public sealed class SectionLink : NavLink
{
    /// <summary>Where its pages begin: "/settings/". Null: below its own address, as any other link.</summary>
    [Parameter]
    public string? Section { get; set; }

    /// <inheritdoc/>
    protected override bool ShouldMatch(string uriAbsolute) =>
        base.ShouldMatch(uriAbsolute) || (Section is { } section && new Uri(uriAbsolute).AbsolutePath.StartsWith(section, StringComparison.OrdinalIgnoreCase));
}
