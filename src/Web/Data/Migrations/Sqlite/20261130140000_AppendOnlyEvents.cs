using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace FailoverHub.Web.Data.Migrations.Sqlite
{
    /// <summary>The database itself refuses to change events, and to remove what is not old. A later migration that makes the table anew has to make the triggers anew.</summary>
    public partial class AppendOnlyEvents : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // Only retention removes, and only what is old: within its transaction it says in EventRetention how old.
            migrationBuilder.Sql("CREATE TABLE EventRetention (BeforeMs INTEGER NOT NULL);");
            migrationBuilder.Sql("CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON Events BEGIN SELECT RAISE(ABORT, 'Events are append-only.'); END;");
            migrationBuilder.Sql("CREATE TRIGGER event_is_only_removed_when_old BEFORE DELETE ON Events WHEN NOT EXISTS (SELECT 1 FROM EventRetention WHERE OLD.AtMs < BeforeMs AND OLD.RecordedAtMs < BeforeMs) BEGIN SELECT RAISE(ABORT, 'Events are append-only.'); END;");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP TRIGGER event_is_only_removed_when_old;");
            migrationBuilder.Sql("DROP TRIGGER event_is_never_changed;");
            migrationBuilder.Sql("DROP TABLE EventRetention;");
        }
    }
}
